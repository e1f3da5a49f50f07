//! Addresses, and names beside them.

use lettre::message::Mailbox as LettreMailbox;

/// The most characters of an address.
const MAX_ADDRESS: usize = 254;
/// The most characters of a name.
const MAX_NAME: usize = 150;

/// A bare address, `ann@example.org`. Its host is in lower case and in ASCII, whatever was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(lettre::Address);

/// The text is no address, or none that mail is sent to: with a quoted local part, or a number for a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Enter a valid email address.")]
pub struct InvalidAddress;

impl Address {
    /// Trims `text` and checks it.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let (local, host) = text.rsplit_once('@').ok_or(InvalidAddress)?;
        let odd = |c: char| c.is_control() || c.is_whitespace() || "\"<>()[]\\,;:%".contains(c);
        // `%` is a letter of the local part.
        if text.replace('%', "").contains(odd) || host.contains('%') || host.ends_with('.') {
            return Err(InvalidAddress);
        }
        let Ok(url::Host::Domain(host)) = url::Host::parse(host) else { return Err(InvalidAddress) };
        let address = lettre::Address::new(local, host).map_err(|_| InvalidAddress)?;
        if AsRef::<str>::as_ref(&address).chars().nth(MAX_ADDRESS).is_some() {
            return Err(InvalidAddress);
        }
        Ok(Self(address))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// What is behind the `@`.
    pub fn host(&self) -> &str {
        self.0.domain()
    }

    pub(super) fn lettre(&self) -> lettre::Address {
        self.0.clone()
    }
}

/// An address with a name that is shown beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// One line; may be empty.
    name: String,
    pub address: Address,
}

impl Mailbox {
    /// The name's control characters become spaces, and what is beyond 150 characters is left out.
    pub fn new(name: &str, address: Address) -> Self {
        Self { name: one_line(name, MAX_NAME), address }
    }

    /// `chatd <chatd@example.org>`, or the bare address.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, address)) => {
                let name = name.trim();
                let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
                if name.contains(char::is_control) || name.chars().nth(MAX_NAME).is_some() {
                    return Err(InvalidAddress);
                }
                Ok(Self::new(name, Address::parse(address)?))
            }
            None => Ok(Self::new("", Address::parse(text)?)),
        }
    }

    pub(super) fn lettre(&self) -> LettreMailbox {
        LettreMailbox::new((!self.name.is_empty()).then(|| self.name.clone()), self.address.lettre())
    }
}

/// A text as one line of a header: no control character, no white space around it, at most so many characters.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let parse = |text: &str| Address::parse(text).map(|a| a.as_str().to_owned());
        for (text, address) in [
            (" ann@example.org ", "ann@example.org"),
            ("Ann.B+tag@Example.ORG", "Ann.B+tag@example.org"),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
            ("jörg@example.org", "jörg@example.org"),
            ("root@localhost", "root@localhost"),
            ("a%b@example.org", "a%b@example.org"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(address), "{text}");
        }
        let long = format!("{}@{}.example", "a".repeat(64), "b.".repeat(100));
        for text in [
            "",
            "ann",
            "@example.org",
            "ann@",
            "ann@.org",
            "ann@example.org.",
            "ann@exa mple.org",
            "ann@127.0.0.1",
            "ann@[127.0.0.1]",
            "ann@ex%61mple.org",
            "\"a b\"@example.org",
            "a b@example.org",
            "ann@example.org\r\nBcc: bob@example.org",
            "ann\r\n@example.org",
            "ann@example.org, bob@example.org",
            "<ann@example.org>",
            "ann\0@example.org",
            &long,
        ] {
            assert_eq!(parse(text), Err(InvalidAddress), "{text:?}");
        }
    }

    #[test]
    fn mailboxes() {
        let parse = |text: &str| Mailbox::parse(text).map(|m| (m.name, m.address.as_str().to_owned()));
        let of = |name: &str, address: &str| Ok((name.to_owned(), address.to_owned()));
        assert_eq!(parse("chatd <chatd@example.org>"), of("chatd", "chatd@example.org"));
        assert_eq!(parse("chatd@example.org"), of("", "chatd@example.org"));
        assert_eq!(parse("\"Ann, of Ü\" <a@b.example>"), of("Ann, of Ü", "a@b.example"));
        for text in ["chatd", "chatd <chatd>", "a\r\nb <a@b.example>", "chatd chatd@example.org", "<>"] {
            assert_eq!(parse(text), Err(InvalidAddress), "{text:?}");
        }
        assert_eq!(Mailbox::new(" a\r\nBcc: b\u{85}", Address::parse("a@b.example").unwrap()).name, "a  Bcc: b");
    }
}
