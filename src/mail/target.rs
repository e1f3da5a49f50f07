//! `EMAIL_URL`: where mail is handed over.

use std::net::IpAddr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

/// Where mail is handed over.
pub enum Target {
    /// A directory in which each mail becomes a file: for trying it out.
    Directory(PathBuf),
    Server(Server),
}

/// A mail server.
pub struct Server {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// A user and a password.
    pub sign_in: Option<(String, String)>,
    /// A file of further authorities whose certificates are believed, in PEM.
    pub ca: Option<PathBuf>,
}

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte on, with a certificate that is checked.
    Wrapped,
    /// By STARTTLS, with a certificate that is checked; without it nothing is sent.
    Required,
    /// By STARTTLS if the server offers it, with whatever certificate.
    Opportunistic,
    None,
}

impl Target {
    /// The error says what is wrong and holds nothing of the URL, which may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("dir:") {
            return match path {
                "" => Err("names no directory: dir:PATH".to_owned()),
                path => Ok(Self::Directory(path.into())),
            };
        }
        if !text.starts_with("smtp://") && !text.starts_with("smtps://") {
            return Err("must begin with smtp://, smtps:// or dir:".to_owned());
        }
        let url = Url::parse(text).map_err(|e| format!("cannot be used: {e}"))?;
        if !["", "/"].contains(&url.path()) || url.fragment().is_some() {
            let hint = "percent-encode / ? # and @ in the user and the password";
            return Err(format!("has something behind the host that does not belong there; {hint}"));
        }
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || !host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c)) {
            return Err("names no host: smtp://HOST".to_owned());
        }
        let sign_in = sign_in(&url)?;
        let (mut tls, mut ca) = (None, None);
        for (name, value) in url.query_pairs() {
            match &*name {
                "tls" => tls = Some(value.into_owned()),
                "ca" => ca = Some(PathBuf::from(value.into_owned())),
                _ => return Err("takes no parameters but tls and ca".to_owned()),
            }
        }
        let (wrapped, near) = (url.scheme() == "smtps", is_loopback(&host));
        let tls = match tls.as_deref() {
            None | Some("required") if wrapped => Tls::Wrapped,
            Some(_) if wrapped => return Err("begins with smtps://, which is always encrypted".to_owned()),
            None if near => Tls::Opportunistic,
            None | Some("required") => Tls::Required,
            Some("opportunistic") => Tls::Opportunistic,
            Some("none") => Tls::None,
            Some(_) => return Err("knows tls=required, tls=opportunistic and tls=none".to_owned()),
        };
        if tls == Tls::Opportunistic && sign_in.is_some() && !near {
            let why = "has a password, which tls=opportunistic may show to others";
            return Err(format!("{why}: leave it out, or say tls=none where you trust the network"));
        }
        let usual = if wrapped {
            465
        } else if near {
            25
        } else {
            587
        };
        Ok(Self::Server(Server { host, port: url.port().unwrap_or(usual), tls, sign_in, ca }))
    }
}

fn sign_in(url: &Url) -> Result<Option<(String, String)>, String> {
    let plain = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned);
    let (Ok(user), Ok(password)) = (plain(url.username()), plain(url.password().unwrap_or_default())) else {
        return Err("has a user or a password that is not UTF-8".to_owned());
    };
    match (user.is_empty(), password.is_empty()) {
        (true, true) => Ok(None),
        (false, false) => Ok(Some((user, password))),
        _ => Err("must have a user and a password, or neither".to_owned()),
    }
}

/// Whether a name or an address can only be this machine.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers() {
        let of = |url: &str| match Target::parse(url) {
            Ok(Target::Server(s)) => (s.host, s.port, s.tls, s.sign_in.map(|(user, password)| user + "|" + &password)),
            Ok(Target::Directory(_)) => panic!("{url} is a server"),
            Err(e) => panic!("{url} {e}"),
        };
        let is =
            |host: &str, port, tls, sign_in: Option<&str>| (host.to_owned(), port, tls, sign_in.map(str::to_owned));
        assert_eq!(of("smtp://mail.example.org"), is("mail.example.org", 587, Tls::Required, None));
        assert_eq!(of("smtp://a:b@mail.example.org:25/"), is("mail.example.org", 25, Tls::Required, Some("a|b")));
        let encoded = of("smtps://a%40example.org:p%2F%3F%40w@mail.example.org");
        assert_eq!(encoded, is("mail.example.org", 465, Tls::Wrapped, Some("a@example.org|p/?@w")));
        assert_eq!(of("smtp://localhost"), is("localhost", 25, Tls::Opportunistic, None));
        assert_eq!(of("smtp://127.0.0.1:1025"), is("127.0.0.1", 1025, Tls::Opportunistic, None));
        assert_eq!(of("smtp://[::1]"), is("::1", 25, Tls::Opportunistic, None));
        assert_eq!(of("smtp://localhost?tls=required").2, Tls::Required);
        assert_eq!(of("smtp://a:b@localhost").2, Tls::Opportunistic);
        assert_eq!(of("smtp://a:b@relay.internal?tls=none").2, Tls::None);
        assert_eq!(of("smtp://relay.internal?tls=opportunistic").2, Tls::Opportunistic);
        assert_eq!(of("smtps://relay.internal?tls=required").2, Tls::Wrapped);
        // Names that only look like this machine.
        for host in ["localhost.example.org", "127.0.0.1.example.org", "10.0.0.1", "0.0.0.0"] {
            assert_eq!(of(&format!("smtp://{host}")).2, Tls::Required, "{host}");
        }
        let Ok(Target::Server(server)) = Target::parse("smtp://h?tls=required&ca=/etc/ca%20x.pem") else { panic!() };
        assert_eq!(server.ca, Some("/etc/ca x.pem".into()));
        assert!(matches!(Target::parse("dir:/tmp/a"), Ok(Target::Directory(path)) if path == *"/tmp/a"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, why) in [
            ("http://hidden@x", "must begin with"),
            ("smtp:hidden@x", "must begin with"),
            ("dir:", "names no directory"),
            ("smtp://", "names no host"),
            ("smtp://a:hidden@", "cannot be used"),
            ("smtp://a:hidden@h:port", "cannot be used"),
            ("smtp://a:hid#den@h", "cannot be used"),
            ("smtp://a:hidden@h/x", "behind the host"),
            ("smtp://a:hidden@h#x", "behind the host"),
            ("smtp://h?tls=yes", "knows tls="),
            ("smtp://h?hidden@x", "no parameters but"),
            ("smtps://h?tls=none", "always encrypted"),
            ("smtp://hidden@h", "neither"),
            ("smtp://:hidden@h", "neither"),
            ("smtp://a:hidden@h?tls=opportunistic", "may show to others"),
            ("smtp://a:hidden%ff@h", "not UTF-8"),
            ("smtp://a b", "cannot be used"),
            ("smtp://a%20b", "names no host"),
        ] {
            let said = Target::parse(url).err().unwrap_or_else(|| panic!("{url} is taken"));
            assert!(said.contains(why) && !said.contains("hid"), "{url}: {said}");
        }
    }
}
