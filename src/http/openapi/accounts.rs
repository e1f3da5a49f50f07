//! Accounts and sessions in the description.

use rocket::http::Method;
use serde_json::{Value, json};

use super::schemas::reference;
use super::{Described, detail, errors, of};

/// An operation of theirs.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn describe(path: &[&str], method: Method) -> Option<Described> {
    let sign_in_refused = || Some(json!({"anyOf": [reference("SecondStepNeeded"), reference("Detail")]}));
    Some(match (path, method) {
        (["signup", "confirm"], _) => Described {
            body: Some("SignUpConfirmation"),
            answers: vec![
                ("201", "Made, and signed in: the session is in a cookie", Some(reference("Session"))),
                ("400", "The link or the name cannot be used", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of("Make the account of a link", Value::Null)
        },
        (["signup"], Method::Post) => Described {
            body: Some("SignUp"),
            answers: vec![
                ("201", "Made, and signed in: the session is in a cookie", Some(reference("Session"))),
                ("202", "A link was sent to the address, by which the account is made", Some(detail())),
                ("400", "Fields are wrong, or the invite cannot be used", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
                ("429", "Too many accounts from this address", Some(detail())),
            ],
            ..of("Make an account", Value::Null)
        },
        (["signup"], _) => Described {
            query: vec![("invite", json!({"type": "string"}), "An invite's token.")],
            ..of("Whether one can make an account", reference("SignUpState"))
        },
        (["invite"], Method::Post) => Described {
            body: Some("InviteWish"),
            answers: vec![
                ("201", "Made; the link is told this once", Some(reference("NewInvite"))),
                ("400", "Fields are wrong", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of("Make a link with which people make their accounts", Value::Null)
        },
        (["invite", ..], Method::Delete) => Described {
            answers: vec![("204", "Nobody can use it any more", None)],
            ..of("Revoke an invite", Value::Null)
        },
        (["invite"], _) => of("The invites that one looks after", reference("Invites")),
        (["account", "second-factor"], Method::Get) => of("Second factors", reference("SecondFactor")),
        (["account", "password"], _) => Described {
            body: Some("PasswordChange"),
            answers: vec![
                ("204", "Changed; every other session has ended, this one goes on in a new cookie", None),
                ("400", "Wrong, or too weak", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
                ("429", "Too many wrong passwords", Some(detail())),
            ],
            ..of("Change one's password", Value::Null)
        },
        (["account", "export"], Method::Post) => Described {
            answers: vec![
                ("202", "It is being made, from now on or already", Some(reference("Export"))),
                ("429", "Too many today", Some(detail())),
            ],
            ..of("Ask for everything of one's own, to take along", Value::Null)
        },
        (["account", "export"], _) => of("How far it is", reference("Export")),
        (["account", "export", ..], _) => of("A file of everything of one's own", Value::Null),
        (["account", "delete"], _) => Described {
            body: Some("Proof"),
            answers: vec![
                ("204", "Erased, with every session; what others have of it stays under another name", None),
                (
                    "400",
                    "Wrong, or one of the two is missing, or nobody else can administer this server",
                    Some(errors()),
                ),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
                ("429", "Too many wrong passwords", Some(detail())),
            ],
            ..of("Delete one's account, for ever", Value::Null)
        },
        (["account", "email"], _) => Described {
            body: Some("EmailChange"),
            answers: vec![
                ("202", "A link was sent to the new address; nothing is changed before it is used", Some(detail())),
                ("204", "Changed; every other session has ended, this one goes on in a new cookie", None),
                ("400", "Wrong", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
                ("429", "Too many wrong passwords, or letters to this address", Some(detail())),
            ],
            ..of("Change the address of one's account; an empty one removes it", Value::Null)
        },
        (["email", "confirm"], _) => Described {
            body: Some("Token"),
            answers: vec![
                ("204", "It is the account's address now; every other session has ended", None),
                ("400", "The link cannot be used", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of("Confirm a new address", Value::Null)
        },
        (["password", "forgot"], _) => Described {
            body: Some("Forgotten"),
            answers: vec![
                ("202", "If there is such an account, a link is on its way", Some(detail())),
                ("400", "Fields are wrong", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
                ("429", "Too many from this address", Some(detail())),
            ],
            ..of("Ask for a link for a new password", Value::Null)
        },
        (["password", "reset"], _) => Described {
            body: Some("PasswordReset"),
            answers: vec![
                ("204", "Set; every session has ended, and nobody is signed in by it", None),
                ("400", "The link cannot be used, or the password is too weak", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of("Set a new password by a link", Value::Null)
        },
        (["account", "profile"], Method::Patch) => Described {
            body: Some("ProfileChange"),
            answers: vec![
                ("200", "The profile as it is now", Some(reference("OwnProfile"))),
                ("400", "Fields are wrong, or the name is somebody else's", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
            ],
            ..of("Change what one says of oneself", Value::Null)
        },
        (["account", "profile"], _) => of("What one says of oneself", reference("OwnProfile")),
        (["account", "avatar"], Method::Put) => Described {
            answers: vec![
                ("200", "The profile with the picture", Some(reference("OwnProfile"))),
                ("400", "No picture, a broken one, or one of too many pixels", Some(errors())),
                ("413", "Too large", Some(detail())),
                ("415", "No PNG, JPEG or WebP", Some(detail())),
            ],
            ..of("Put a picture of oneself: the body is the picture", Value::Null)
        },
        (["account", "avatar"], _) => {
            Described { answers: vec![("204", "There is none", None)], ..of("Remove one's picture", Value::Null) }
        }
        (["profile", ..], _) => of("What somebody says of themself", reference("Profile")),
        (["avatar", ..], _) => of("Somebody's picture, a JPEG", Value::Null),
        (["account"], _) => of("One's account", reference("Account")),
        (["device"], Method::Delete) => Described {
            answers: vec![("204", "Every other session has ended", None)],
            ..of("Sign out everywhere else", Value::Null)
        },
        (["device", ..], Method::Delete) => {
            Described { answers: vec![("204", "It has ended", None)], ..of("Sign out there", Value::Null) }
        }
        (["device"], _) => of("Where one is signed in", reference("Devices")),
        (["session"], Method::Post) => Described {
            body: Some("SignIn"),
            answers: vec![
                ("200", "Signed in; the session is in a cookie", Some(reference("Session"))),
                ("400", "Wrong username or password", Some(errors())),
                ("403", "Right, and a second step is needed; or from another site", sign_in_refused()),
                ("413", "Too large", Some(detail())),
                ("415", "Not JSON, a form or multipart", Some(detail())),
                ("429", "Too many wrong passwords", Some(detail())),
            ],
            ..of("Sign in", Value::Null)
        },
        (["session"], Method::Delete) => {
            Described { answers: vec![("204", "Signed out", None)], ..of("Sign out", Value::Null) }
        }
        (["session"], _) => of("Who am I", reference("Session")),
        _ => return None,
    })
}
