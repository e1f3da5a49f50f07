//! Which endpoint a path belongs to.

use super::api::{Endpoint, TABLE};

/// An endpoint, and what its path says.
pub(super) struct Resolved {
    pub endpoint: &'static Endpoint,
    /// What stands for `<>`, decoded.
    pub args: Vec<String>,
    /// The suffix, without its dot.
    pub format: Option<String>,
    /// Whether the path ends as it should.
    pub slash: bool,
}

/// Finds the endpoint of a path behind `/api/v1`.
pub(super) fn resolve(path: &str) -> Option<Resolved> {
    let slash = path.ends_with('/');
    let path = path.strip_prefix('/').unwrap_or(path);
    if path == "/" {
        return None;
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments: Vec<_> = path.split('/').collect();
    let last = *segments.last()?;
    let plain = find(if path.is_empty() { &[] } else { &segments });
    if let Some((endpoint, args)) = plain
        && (!endpoint.suffix || !last.contains('.'))
    {
        return Some(Resolved { endpoint, args, format: None, slash });
    }
    let (stem, format) = last.rsplit_once('.')?;
    if format.is_empty() || !format.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) || stem.contains('.')
    {
        return None;
    }
    segments.pop();
    segments.extend(Some(stem).filter(|stem| !stem.is_empty()));
    let (endpoint, args) = find(&segments).filter(|(endpoint, _)| endpoint.suffix)?;
    Some(Resolved { endpoint, args, format: Some(format.to_owned()), slash: true })
}

fn find(segments: &[&str]) -> Option<(&'static Endpoint, Vec<String>)> {
    let fits = |endpoint: &&Endpoint| {
        endpoint.path.len() == segments.len()
            && endpoint
                .path
                .iter()
                .zip(segments)
                .all(|(want, have)| if *want == "<>" { !have.is_empty() } else { want == have })
    };
    // A fixed segment goes before one that stands for any.
    let endpoint = TABLE.iter().copied().flatten().filter(fits).min_by_key(|e| e.path.contains(&"<>"))?;
    let args = endpoint.path.iter().zip(segments).filter(|(want, _)| **want == "<>");
    let args = args.map(|(_, have)| percent_encoding::percent_decode_str(have).decode_utf8_lossy().into_owned());
    Some((endpoint, args.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Option<(&'static str, Vec<String>, Option<String>, bool)> {
        resolve(path).map(|r| (r.endpoint.name, r.args, r.format, r.slash))
    }

    #[test]
    fn paths() {
        let list = "Message Model List";
        let detail = "Message Model Instance";
        assert_eq!(found("/"), Some(("Api Root", vec![], None, true)));
        assert_eq!(found(""), Some(("Api Root", vec![], None, false)));
        assert_eq!(found("/.json"), Some(("Api Root", vec![], Some("json".into()), true)));
        assert_eq!(found("/message/"), Some((list, vec![], None, true)));
        assert_eq!(found("/message"), Some((list, vec![], None, false)));
        assert_eq!(found("/message.json"), Some((list, vec![], Some("json".into()), true)));
        assert_eq!(found("/message/%201%20/"), Some((detail, vec![" 1 ".into()], None, true)));
        assert_eq!(found("/message/1.5/"), Some((detail, vec!["1".into()], Some("5".into()), true)));
        assert_eq!(found("/conversation/ben.k/").map(|f| f.1), Some(vec!["ben.k".to_owned()]));
        assert_eq!(found("/conversation/ben.k/read/").map(|f| f.1), Some(vec!["ben.k".to_owned()]));
        for unknown in ["/nope/", "//", "/message//", "/message/1/2/", "/conversation//read/"] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }
}
