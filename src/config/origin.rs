//! `PUBLIC_URL`.

/// `PUBLIC_URL` in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub https: bool,
    /// Host and port, as the `Host` header has them.
    pub host: String,
    /// `/` or `/PATH/`.
    pub base: String,
}

impl Origin {
    pub(super) fn parse(url: &str) -> Option<Self> {
        let (https, rest) = match url.split_once("://")? {
            ("https", rest) => (true, rest),
            ("http", rest) => (false, rest),
            _ => return None,
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        let path = path.trim_matches('/');
        let path_ok = path.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)) && !path.contains("//");
        if host.is_empty() || !host.chars().all(plain) || !path_ok {
            return None;
        }
        let base = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
        Some(Self { https, host: host.to_ascii_lowercase(), base })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        let of = |url| Origin::parse(url).map(|o| (o.https, o.host, o.base));
        assert_eq!(of("https://Chat.example:8443"), Some((true, "chat.example:8443".into(), "/".into())));
        assert_eq!(of("http://x/a/b/"), Some((false, "x".into(), "/a/b/".into())));
        for bad in ["chat.example", "ftp://x", "https://", "https://a b", "https://x/?y"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
