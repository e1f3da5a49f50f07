//! Second factors in the description: their operations and the bodies that are read.

use serde_json::{Map, Value, json};

use super::Described;
use super::schemas::reference;

/// An operation of theirs.
pub fn describe(path: &[&str]) -> Option<Described> {
    let (summary, body, good, said) = match path {
        ["account", "second-factor"] => {
            ("Begin to set up an authenticator app", "Proof", reference("TotpSetUp"), "To be confirmed with a code")
        }
        ["account", "second-factor", "confirm"] => {
            ("Turn the authenticator app on", "TotpConfirm", reference("FactorsChanged"), "It is on")
        }
        ["account", "second-factor", "off"] => {
            ("Turn the authenticator app off", "Proof", reference("FactorsChanged"), "It is off")
        }
        ["account", "second-factor", "recovery-codes"] => {
            ("New recovery codes", "Proof", reference("FactorsChanged"), "Those from before are worth nothing")
        }
        ["account", "passkey"] => ("Add the passkey that was made", "NewPasskey", reference("FactorsChanged"), "Added"),
        ["account", "passkey", "start"] => {
            ("Begin to make a passkey", "Proof", reference("WebAuthnOptions"), "For the browser")
        }
        ["account", "passkey", _, "remove"] => ("Remove a passkey", "Proof", reference("FactorsChanged"), "Removed"),
        ["session", "second-step"] => (
            "The second step of signing in",
            "SecondStep",
            reference("Session"),
            "Signed in; the session is in a cookie",
        ),
        ["session", "passkey"] => ("Ask for a passkey", "PasskeyWish", reference("WebAuthnOptions"), "For the browser"),
        ["session", "passkey", "sign-in"] => (
            "Sign in with a passkey alone",
            "PasskeyShown",
            reference("Session"),
            "Signed in; the session is in a cookie",
        ),
        _ => return None,
    };
    let detail = || Some(reference("Detail"));
    Some(Described {
        summary,
        body: Some(body),
        answers: vec![
            ("200", said, Some(good)),
            ("400", "Fields are wrong, or what was shown was not accepted", Some(reference("Errors"))),
            ("413", "Too large", detail()),
            ("415", "Not JSON, a form or multipart", detail()),
            ("429", "Too many wrong tries", detail()),
        ],
        query: Vec::new(),
    })
}

/// What is read, and what the standard writes.
pub fn schemas(add: &mut impl FnMut(&str, Value)) {
    let text = || json!({"type": "string", "minLength": 1});
    let base64url = || json!({"type": "string", "minLength": 1, "pattern": "^[A-Za-z0-9_-]+=*$"});
    let code = || json!({"type": ["string", "null"], "description": "Of the app, or a recovery code."});
    let passkey = |more: Value, required: Value| {
        let mut properties = json!({
            "credential_id": base64url(), "client_data": base64url(), "authenticator_data": base64url(),
            "signature": base64url(), "user_handle": {"type": ["string", "null"]},
        });
        for (name, schema) in more.as_object().into_iter().flatten() {
            properties[name] = schema.clone();
        }
        let parts = ["credential_id", "client_data", "authenticator_data", "signature"];
        let together: Map<String, Value> = parts.iter().map(|part| ((*part).to_owned(), json!(parts))).collect();
        json!({"type": "object", "required": required, "properties": properties, "dependentRequired": together})
    };
    let password = || json!({"type": "string", "format": "password"});
    add("Proof", passkey(json!({"current_password": password(), "code": code()}), json!(["current_password"])));
    add("SecondStep", passkey(json!({"token": text(), "code": code()}), json!(["token"])));
    add("PasskeyShown", passkey(json!({}), json!(["credential_id", "client_data", "authenticator_data", "signature"])));
    add("PasskeyWish", json!({"type": "object", "properties": {"token": {"type": ["string", "null"]}}}));
    add(
        "TotpConfirm",
        json!({"type": "object", "required": ["token", "code"], "properties": {"token": text(), "code": text()}}),
    );
    add(
        "NewPasskey",
        json!({"type": "object", "required": ["name", "client_data", "attestation_object"], "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 100},
            "client_data": base64url(), "attestation_object": base64url(),
        }}),
    );
    add(
        "SecondStepNeeded",
        json!({"type": "object", "required": ["detail", "second_factor", "token"], "properties": {
            "detail": {"type": "string"},
            "second_factor": {"type": "array", "items": {"enum": ["totp", "passkey", "recovery"]}},
            "token": {"type": "string", "description": "For session/second-step/, within five minutes."},
        }}),
    );
    add(
        "WebAuthnOptions",
        json!({"type": "object", "required": ["publicKey"], "properties": {"publicKey": {"type": "object",
            "required": ["challenge"], "description": "As the Web Authentication standard writes it in JSON."}}}),
    );
}
