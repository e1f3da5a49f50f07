//! A mail as it travels: headers, and its text as plain text and as HTML.

use std::time::{Duration, SystemTime};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Message, MultiPart};

use super::{Letter, Mailbox};
use crate::domain::Timestamp;

/// The message, with an id of its own, in CRLF lines. Sent twice it is one message by its id.
pub fn message(from: &Mailbox, to: &Mailbox, letter: &Letter, now: Timestamp) -> Vec<u8> {
    let id = format!("<{:032x}@{}>", rand::random::<u128>(), from.address.host());
    let made = Message::builder()
        .from(from.lettre())
        .to(to.lettre())
        .subject(letter.subject())
        .date(SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(now.0).unwrap_or(0)))
        .message_id(Some(id))
        // Nobody's absence is told to a program.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .multipart(MultiPart::alternative_plain_html(letter.text(), letter.html()));
    made.expect("it has a sender and a recipient").formatted()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Address;

    fn mailbox(name: &str, address: &str) -> Mailbox {
        Mailbox::new(name, Address::parse(address).unwrap())
    }

    fn made(name: &str, subject: &str, text: &str) -> String {
        let (from, to) = (mailbox(name, "chatd@example.org"), mailbox(name, "ann@example.net"));
        let letter = Letter::new(subject).paragraph(text);
        String::from_utf8(message(&from, &to, &letter, Timestamp(1_700_000_000_000_000))).unwrap()
    }

    /// The headers' names, each with what follows it, unfolded.
    fn headers(message: &str) -> Vec<(String, String)> {
        let (head, _) = message.split_once("\r\n\r\n").expect("a head");
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let pairs = unfolded.split("\r\n").map(|line| line.split_once(": ").expect("a header"));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn its_headers() {
        let message = made("chatd", "Your password", "Hello");
        let headers = headers(&message);
        let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let all = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];
        assert_eq!(names, all);
        let value = |name: &str| &headers.iter().find(|(n, _)| n == name).unwrap().1;
        assert_eq!(value("From"), "chatd <chatd@example.org>");
        assert_eq!(value("Subject"), "Your password");
        assert_eq!(value("Date"), "Tue, 14 Nov 2023 22:13:20 +0000");
        assert_eq!(value("Auto-Submitted"), "auto-generated");
        assert!(value("Message-ID").ends_with("@example.org>") && value("Message-ID").len() == 46, "{message}");
        assert!(value("Content-Type").starts_with("multipart/alternative;"), "{message}");
        assert_ne!(made("chatd", "Your password", "Hello"), message, "each has an id of its own");
    }

    /// Whatever a name, a subject and a text hold: the headers are ours, every byte is ASCII, no line is too long, and
    /// no line ends in anything but CRLF.
    #[test]
    fn nothing_gets_into_the_headers() {
        let long = "x".repeat(5000);
        let words = "wörter 🎉 ".repeat(200);
        let odd = [
            "a\r\nBcc: eve@example.com",
            "a\nBcc: eve@example.com",
            "a\rBcc: eve@example.com",
            "a\r\n\r\n<b>body</b>",
            "\u{0}\u{1b}[31m\u{7f}\u{85}\u{2028}",
            "=?utf-8?q?a=0D=0ABcc:_eve@example.com?=",
            "\" <eve@example.com>, \"",
            "\\\" <eve@example.com>, \\",
            "نص من اليمين إلى اليسار",
            "🎉👩‍👩‍👧‍👦",
            ".\r\n.\r\nMAIL FROM:<eve@example.com>\r\n",
            "",
            " ",
            &long,
            &words,
        ];
        let plain = headers(&made("chatd", "subject", "text"));
        for name in odd {
            for text in odd {
                let message = made(name, text, text);
                let found = headers(&message);
                let names = |of: &[(String, String)]| of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
                assert_eq!(names(&found), names(&plain), "{name:?} {text:?}");
                let to = &found[1].1;
                assert!(to == "ann@example.net" || to.ends_with("<ann@example.net>"), "{to}");
                assert!(message.is_ascii(), "{name:?} {text:?}");
                assert!(
                    message.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])),
                    "{text:?}"
                );
            }
        }
    }

    #[test]
    fn an_address_beyond_ascii_stands_as_it_is() {
        let (from, to) = (mailbox("", "chatd@example.org"), mailbox("", "jörg@example.net"));
        let message = message(&from, &to, &Letter::new("a").paragraph("b"), Timestamp(0));
        assert!(String::from_utf8(message).unwrap().contains("To: jörg@example.net\r\n"));
    }
}
