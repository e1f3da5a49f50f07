//! One entry of an export, as a line and as it stands on the page.

use serde_json::{Value, json};

use crate::domain::{KeptConversation, Message};
use crate::escape::escape;

/// What is written of one thing.
#[derive(Default)]
pub struct Entry {
    /// JSON and a line feed; or nothing.
    pub line: String,
    /// HTML; or nothing.
    pub page: String,
}

impl Entry {
    /// An entry whose facts stand on the page as a list.
    pub fn of(kind: &str, title: &str, facts: &Value) -> Self {
        let rows =
            facts.as_object().into_iter().flatten().filter(|(name, _)| *name != "base64").map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("<dt>{}</dt><dd dir=\"auto\">{}</dd>\n", escape(&name.replace('_', " ")), escape(&text))
            });
        let page = format!("<h2>{}</h2>\n<dl>\n{}</dl>\n", escape(title), rows.collect::<String>());
        Self { line: line(kind, facts), page }
    }

    pub fn conversation(c: &KeptConversation, me: &str) -> Self {
        let facts = json!({
            "conversation": c.id, "peer": c.peer, "last_seq": c.last_seq, "read_seq": c.read_seq,
            "delivered_seq": c.delivered_seq, "muted_until": c.muted_until.map(|time| time.to_string()),
            "pinned": c.pinned, "archived": c.archived,
        });
        let title = if c.peer == me { "Notes to self".to_owned() } else { c.peer.clone() };
        Self { line: line("conversation", &facts), page: format!("<h2><bdi>{}</bdi></h2>\n", escape(&title)) }
    }

    pub fn message(m: &Message) -> Self {
        let facts = json!({
            "id": m.id, "conversation": m.conversation, "seq": m.seq, "from": m.sender_name, "to": m.recipient_name,
            "timestamp": m.timestamp.to_string(), "body": m.body, "reply_to": m.reply_to,
            "edited_at": m.edited_at.map(|time| time.to_string()),
            "deleted_at": m.deleted_at.map(|time| time.to_string()),
        });
        let deleted = if m.deleted_at.is_some() { " <i>deleted</i>" } else { "" };
        let edited = if m.edited_at.is_some() { " <i>edited</i>" } else { "" };
        let page = format!(
            "<p><b><bdi>{}</bdi></b> <time>{}</time>{edited}{deleted}</p>\n<blockquote dir=\"auto\">{}</blockquote>\n",
            escape(&m.sender_name),
            m.timestamp,
            escape(&m.body).replace('\n', "<br>")
        );
        Self { line: line("message", &facts), page }
    }
}

fn line(kind: &str, facts: &Value) -> String {
    let mut object = serde_json::Map::from_iter([("type".to_owned(), kind.into())]);
    object.extend(facts.as_object().cloned().unwrap_or_default());
    format!("{}\n", Value::Object(object))
}

/// How the page begins: no script, no style, nothing from elsewhere.
pub fn head(me: &str, at: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>My data: {0}</title>\n</head>\n<body>\n<main>\n<h1>My data: <bdi>{0}</bdi></h1>\n<p>{at}</p>\n",
        escape(me)
    )
}

pub const FOOT: &str = "</main>\n</body>\n</html>\n";
