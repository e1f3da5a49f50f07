//! The types of the description: those that are written, from the types themselves, and those that are read.

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::LANGUAGES;
use crate::http::fields::{NO, YES};
use crate::http::json::{
    AccountJson, BlockJson, BlocksJson, ConversationJson, ConversationSettingsJson, ConversationsJson, DeviceJson,
    DevicesJson, EventJson, EventsJson, ExportJson, FactorsChangedJson, InviteJson, InvitesJson, MessageJson,
    NewInviteJson, NewReportJson, NumberedJson, OneConversationJson, OwnProfileJson, PasskeyJson, PersonJson,
    ProfileJson, QrJson, ReadJson, ReportJson, SecondFactorJson, SessionJson, SharingJson, SignUpJson, TotpSetUpJson,
    UserJson,
};

/// Everything that stands under a name in the description.
pub fn schemas() -> Value {
    let mut schemas = Map::new();
    let mut add = |name: &str, schema: Value| drop(schemas.insert(name.to_owned(), schema));
    macro_rules! types {
        ($($type:ty),*) => { $(add(&<$type>::name(), serde_json::to_value(<$type>::schema()).unwrap_or_default());)* };
    }
    types!(
        AccountJson,
        OwnProfileJson,
        ProfileJson,
        PersonJson,
        DeviceJson,
        DevicesJson,
        ExportJson,
        InviteJson,
        InvitesJson,
        NewInviteJson,
        SignUpJson,
        SecondFactorJson,
        PasskeyJson,
        TotpSetUpJson,
        QrJson,
        FactorsChangedJson,
        MessageJson,
        UserJson,
        PersonJson,
        NumberedJson,
        ConversationJson,
        ConversationsJson,
        OneConversationJson,
        ReadJson,
        ConversationSettingsJson,
        SharingJson,
        BlockJson,
        BlocksJson,
        NewReportJson,
        ReportJson,
        EventJson,
        EventsJson,
        SessionJson
    );
    let page = |of: &str| {
        json!({"type": "object", "required": ["next", "previous", "results"], "properties": {
            "next": {"type": ["string", "null"]}, "previous": {"type": ["string", "null"]},
            "results": {"type": "array", "items": reference(of)},
        }})
    };
    add("MessagePage", page("Message"));
    add("PeoplePage", page("Person"));
    add("Reports", page("Report"));
    add("Links", json!({"type": "object", "additionalProperties": {"type": "string"}}));
    add("Detail", json!({"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}}));
    let texts = json!({"type": "array", "items": {"type": "string"}});
    add("Errors", json!({"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, texts]}}));
    bodies(&mut add);
    super::factors::schemas(&mut add);
    Value::Object(schemas)
}

/// What is read: nothing that is written has these types.
fn bodies(add: &mut impl FnMut(&str, Value)) {
    add(
        "NewMessage",
        json!({"type": "object", "required": ["recipient", "body"], "properties": {
            "recipient": text("A username."),
            "body": text("White space around it is cut off. session/ says how long it may be."),
            "client_id": {"type": ["string", "null"], "pattern": "^[A-Za-z0-9_-]{1,64}$",
                "description": "The sender's name for this send: the same one again is the same message."},
            "reply_to": {"type": ["integer", "null"], "format": "int64", "minimum": 1,
                "description": "The seq of the message of this conversation that it answers."},
        }}),
    );
    add(
        "Edit",
        json!({"type": "object", "required": ["body"], "properties": {
            "body": text("White space around it is cut off. session/ says how long it may be."),
        }}),
    );
    add(
        "ConversationSettingsChange",
        json!({"type": "object", "properties": {
            "muted_until": {"type": ["string", "null"], "format": "date-time", "minLength": 20},
            "pinned": {"type": "boolean"}, "archived": {"type": "boolean"},
        }}),
    );
    add(
        "SettingsChange",
        json!({"type": "object", "properties": {
            "share_typing": {"type": "boolean"}, "share_presence": {"type": "boolean"},
            "who_may_write": {"enum": ["everyone", "requests", "contacts", "nobody"]},
            "share_read": {"type": "boolean"},
        }}),
    );
    let languages: Vec<_> = [""].into_iter().chain(LANGUAGES).collect();
    add(
        "ProfileChange",
        json!({"type": "object", "properties": {
            "display_name": {"type": "string", "description": "At most 64 characters, nobody else's username"},
            "about": {"type": "string", "description": "At most 200 characters"},
            "time_zone": {"type": "string", "description": "Its name in the IANA database"},
            "language": {"enum": languages},
        }}),
    );
    add(
        "SignIn",
        json!({"type": "object", "required": ["username", "password"], "properties": {
        "username": {"type": "string"}, "password": {"type": "string", "format": "password"}}}),
    );
    add(
        "SignUp",
        json!({"type": "object", "required": ["username", "password"], "properties": {
            "username": text("At most 150 letters and digits of one script, and @ . + - _"),
            "password": {"type": "string", "format": "password", "description": "8 to 128 characters"},
            "email": {"type": "string"},
            "invite": {"type": ["string", "null"]},
        }}),
    );
    add(
        "InviteWish",
        json!({"type": "object", "properties": {
            "uses": {"type": "integer", "minimum": 1, "maximum": 1000},
            "days": {"type": "integer", "minimum": 1, "maximum": 365},
            "note": {"type": "string", "maxLength": 200, "pattern": "^[^\\x00]*$"},
        }}),
    );
    add(
        "PasswordChange",
        json!({"type": "object", "required": ["current_password", "new_password"], "properties": {
        "current_password": {"type": "string", "format": "password"},
        "new_password": {"type": "string", "format": "password"}}}),
    );
    of_accounts(add);
    of_contacts(add);
}

/// Text that is not blank.
fn text(about: &str) -> Value {
    let not_blank = "^[^\\x00]*[^\\s\\x00][^\\x00]*$";
    json!({"type": "string", "minLength": 1, "pattern": not_blank, "description": about})
}

/// What is said to get into an account, and to change it.
fn of_accounts(add: &mut impl FnMut(&str, Value)) {
    add(
        "EmailChange",
        json!({"type": "object", "required": ["current_password", "email"], "properties": {
        "current_password": {"type": "string", "format": "password"},
        "email": {"type": "string", "description": "Empty: none"}}}),
    );
    add("Token", json!({"type": "object", "required": ["token"], "properties": {"token": text("From the link")}}));
    add(
        "Forgotten",
        json!({"type": "object", "required": ["user"], "properties": {"user": text("A username or an email address")}}),
    );
    add(
        "PasswordReset",
        json!({"type": "object", "required": ["token", "new_password"], "properties": {
        "token": text("From the link"), "new_password": {"type": "string", "format": "password"}}}),
    );
    add(
        "SignUpConfirmation",
        json!({"type": "object", "required": ["token"], "properties": {
            "token": text("From the link"),
            "username": {"type": ["string", "null"], "description": "In place of the one that was asked for"},
        }}),
    );
}

/// What is said of other people.
fn of_contacts(add: &mut impl FnMut(&str, Value)) {
    add("BlockWish", json!({"type": "object", "required": ["user"], "properties": {"user": text("A username")}}));
    add(
        "ReportWish",
        json!({"type": "object", "required": ["message"], "properties": {
            "message": {"type": "integer", "format": "int64"},
            "reason": {"type": ["string", "null"], "maxLength": 1000, "pattern": "^[^\\x00]*$"},
        }}),
    );
    add(
        "ReportChange",
        json!({"type": "object", "required": ["closed"], "properties": {"closed": {"type": "boolean"}}}),
    );
    add(
        "UpTo",
        json!({"type": "object", "required": ["seq"], "properties": {
        "seq": {"type": "integer", "format": "int64", "minimum": 0}}}),
    );
}

/// A mention of one of them.
pub fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The schema of a body, as a form gives it: flags in words, and what has no pattern of its own may be empty in place
/// of null, which a form has not.
pub fn form(mut schema: Value) -> Value {
    for property in schema["properties"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        if property["type"] == "boolean" {
            let words = [YES, NO].concat();
            *property = json!({"enum": words});
        }
        let Some(kind) = property["type"].as_array().and_then(|kinds| kinds.first()).cloned() else { continue };
        property["type"] = kind;
        if property.get("pattern").is_none() {
            *property = json!({"anyOf": [property.take(), {"const": ""}]});
        }
    }
    schema
}
