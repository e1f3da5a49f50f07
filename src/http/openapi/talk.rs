//! Messages, people, conversations and what one chooses for them, in the description.

use rocket::http::Method;
use serde_json::{Value, json};

use super::schemas::reference;
use super::{Described, detail, errors, of};

/// An operation of theirs.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn describe(path: &[&str], method: Method) -> Option<Described> {
    let text = || json!({"type": "string"});
    let int = || json!({"type": "integer", "format": "int64"});
    let from_one = || json!({"type": "integer", "format": "int64", "minimum": 1});
    let limit = |most: i64| ("limit", json!({"type": "integer", "minimum": 1, "maximum": most}), "The most results.");
    Some(match (path, method) {
        ([], _) => of("Where things are", reference("Links")),
        (["message"], Method::Post) => Described {
            body: Some("NewMessage"),
            answers: vec![
                ("201", "Stored, durably", Some(reference("Message"))),
                ("200", "Stored by an earlier send with this client_id", Some(reference("Message"))),
                ("400", "Fields are wrong", Some(errors())),
                ("404", "No such recipient", Some(detail())),
                ("409", "This client_id was used for other content", Some(detail())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of("Send a message", Value::Null)
        },
        (["message"], _) => Described {
            query: vec![
                ("target", text(), "Only those with this person."),
                ("page", text(), "A number from 1, or `last`."),
                ("before_seq", int(), "Those with a smaller number (with target; no count)."),
                ("after_seq", int(), "Those with a greater number (with target; no count)."),
                ("around_seq", int(), "Those around this number (with target; no count)."),
                limit(100),
            ],
            ..of(
                "One's own messages, newest first",
                json!({"anyOf": [reference("NumberedMessages"), reference("MessagePage")]}),
            )
        },
        (["message", ..], Method::Patch) => Described {
            body: Some("Edit"),
            answers: vec![
                ("200", "The message as it is now", Some(reference("Message"))),
                ("400", "Fields are wrong", Some(errors())),
                ("409", "The message was deleted", Some(detail())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of("Change the body of a message of one's own", Value::Null)
        },
        (["message", ..], Method::Delete) => Described {
            answers: vec![("204", "Deleted: its body is gone, its place stays", None)],
            ..of("Delete a message of one's own", Value::Null)
        },
        (["message", ..], _) => of("A message", reference("Message")),
        (["user"], _) => Described {
            query: vec![
                ("search", text(), "The start of a name: pages instead of everybody."),
                ("cursor", text(), "Where a page starts."),
                limit(100),
            ],
            ..of(
                "Everybody else, or people in pages",
                json!({"anyOf": [{"type": "array", "items": reference("User")}, reference("PeoplePage")]}),
            )
        },
        (["user", ..], _) => of("Somebody", reference("User")),
        (["conversation"], _) => Described {
            query: vec![
                ("cursor", text(), "Where a page starts."),
                ("pinned", json!({"const": "true"}), "Only those that are pinned."),
                limit(100),
            ],
            ..of("One's conversations, newest activity first", reference("Conversations"))
        },
        (["conversation", _, mark @ ("read" | "delivered")], _) => Described {
            body: Some("UpTo"),
            answers: vec![
                ("200", "How far both have come", Some(reference("ReadState"))),
                ("400", "Fields are wrong", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of(
                if *mark == "read" {
                    "Mark as read up to a number"
                } else {
                    "Say what has reached a device of one's own"
                },
                Value::Null,
            )
        },
        (["conversation", _, "accept"], _) => of("Accept what a stranger writes", reference("ConversationSettings")),
        (["conversation", ..], Method::Patch) => Described {
            body: Some("ConversationSettingsChange"),
            answers: vec![
                ("200", "How one keeps it now", Some(reference("ConversationSettings"))),
                ("400", "Fields are wrong", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of("Mute, pin or put aside", Value::Null)
        },
        (["conversation", ..], _) => of("The conversation with a person", reference("OneConversation")),
        (["event"], _) => Described {
            query: vec![
                ("after", text(), "What happened after this cursor; without it just the newest cursor."),
                limit(500),
            ],
            answers: vec![
                ("200", "OK", Some(reference("Events"))),
                ("410", "The cursor cannot be served: fetch conversation/ and go on from its cursor", Some(detail())),
            ],
            ..of("What happened", Value::Null)
        },
        (["block"], Method::Post) => Described {
            body: Some("BlockWish"),
            answers: vec![
                ("201", "Nothing that they send is stored any more; they are not told", Some(reference("Block"))),
                ("200", "They were blocked before", Some(reference("Block"))),
                ("400", "Fields are wrong", Some(errors())),
                ("404", "No such person", Some(detail())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of("Block somebody", Value::Null)
        },
        (["block", ..], Method::Delete) => Described {
            answers: vec![("204", "One hears from them again", None)],
            ..of("Unblock somebody", Value::Null)
        },
        (["block"], _) => of("Whom one blocks", reference("Blocks")),
        (["report"], Method::Post) => Described {
            body: Some("ReportWish"),
            answers: vec![
                ("201", "The staff can read it, with the messages around it", Some(reference("NewReport"))),
                ("400", "Fields are wrong", Some(errors())),
                ("404", "No such message, or not for you", Some(detail())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
                ("429", "Too many reports", Some(detail())),
            ],
            ..of("Report a message to the staff", Value::Null)
        },
        (["report", ..], Method::Patch) => Described {
            body: Some("ReportChange"),
            answers: vec![
                ("200", "The report as it is now", Some(reference("Report"))),
                ("400", "Fields are wrong", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of("Close a report, or open it again (staff)", Value::Null)
        },
        (["report"], _) => Described {
            query: vec![
                ("state", json!({"enum": ["open", "closed"]}), "Which; open without it."),
                ("cursor", from_one(), "Those below this number."),
            ],
            ..of("What was reported, newest first (staff)", reference("Reports"))
        },
        (["settings"], Method::Patch) => Described {
            body: Some("SettingsChange"),
            answers: vec![
                ("200", "The settings as they are now", Some(reference("Settings"))),
                ("400", "Fields are wrong", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of("Change what one shares with others", Value::Null)
        },
        (["settings"], _) => of("What one shares with others", reference("Settings")),
        _ => return None,
    })
}
