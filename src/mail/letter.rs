//! What a mail says, written once for both of its parts: plain text, and HTML without anything that is loaded from
//! elsewhere.

use std::fmt::Write as _;

use crate::escape::escape;

use super::address::one_line;

/// The most characters of a subject.
const MAX_SUBJECT: usize = 150;

/// What a mail says.
#[derive(Clone, Debug)]
pub struct Letter {
    subject: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Paragraph(String),
    Link { label: String, url: String },
}

impl Letter {
    /// The subject may hold anything; it becomes one line of at most 150 characters.
    pub fn new(subject: &str) -> Self {
        Self { subject: one_line(subject, MAX_SUBJECT), parts: Vec::new() }
    }

    /// One more paragraph. It may hold anything, names of people too: it is text in both parts.
    #[must_use]
    pub fn paragraph(mut self, text: &str) -> Self {
        self.parts.push(Part::Paragraph(plain(text)));
        self
    }

    /// One more link of our own, on a line by itself. The address is shown in the text part and follows the label.
    #[must_use]
    pub fn link(mut self, label: &str, url: &str) -> Self {
        self.parts.push(Part::Link { label: plain(label), url: plain(url) });
        self
    }

    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) fn text(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Paragraph(text) => text.clone(),
            Part::Link { label, url } => format!("{label}:\n{url}"),
        });
        parts.collect::<Vec<_>>().join("\n\n") + "\n"
    }

    pub(super) fn html(&self) -> String {
        let mut html = format!(
            "<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>{}</title>\n</head>\n\
             <body style=\"font-family: sans-serif; line-height: 1.5\">\n",
            escape(&self.subject)
        );
        for part in &self.parts {
            let _ = match part {
                Part::Paragraph(text) => {
                    writeln!(html, "<p dir=\"auto\">{}</p>", escape(text).replace('\n', "<br>\n"))
                }
                Part::Link { label, url } => {
                    writeln!(html, "<p dir=\"auto\"><a href=\"{}\">{}</a></p>", escape(url), escape(label))
                }
            };
        }
        html + "</body>\n</html>\n"
    }
}

/// Text whose lines end in `\n` alone and that has no other control characters: mail cannot carry all of them.
fn plain(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    lines.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_alike() {
        let letter = Letter::new("a").paragraph("b\r\nc\rd\ne\0\u{85}f");
        assert_eq!(letter.text(), "b\nc\nd\ne  f\n");
    }

    #[test]
    fn both_parts_say_the_same() {
        let letter = Letter::new("A & B")
            .paragraph("Hello <b>ann</b>,\nyou asked.")
            .link("Choose a password", "https://chat.example.org/reset/?a=1&b=\"2\"");
        assert_eq!(
            letter.text(),
            "Hello <b>ann</b>,\nyou asked.\n\nChoose a password:\nhttps://chat.example.org/reset/?a=1&b=\"2\"\n"
        );
        let html = letter.html();
        assert!(html.contains("<title>A &amp; B</title>"), "{html}");
        assert!(html.contains("<p dir=\"auto\">Hello &lt;b&gt;ann&lt;/b&gt;,<br>\nyou asked.</p>"), "{html}");
        let link = "<a href=\"https://chat.example.org/reset/?a=1&amp;b=&quot;2&quot;\">Choose a password</a>";
        assert!(html.contains(link), "{html}");
    }
}
