//! The API's description, OpenAPI 3.1, from the table of endpoints and the types that are written.

use rocket::data::Data;
use rocket::http::Method;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::api::{Access, Call, Endpoint, Running, TABLE};
use super::json::{
    ConversationJson, ConversationsJson, EventJson, EventsJson, MessageJson, NumberedJson, OneConversationJson,
    ReadJson, SessionJson, UserJson,
};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: &["schema"],
    name: "Schema",
    access: Access::Session,
    methods: &[(Method::Get, show)],
    allow: "GET, HEAD, OPTIONS",
    suffix: true,
    form: false,
}];

fn show<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move { Ok(call.ok(&document())) })
}

/// The whole description.
pub fn document() -> Value {
    let mut paths = Map::new();
    for endpoint in TABLE.iter().copied().flatten() {
        let mut item = Map::new();
        for (method, _) in endpoint.methods {
            item.insert(method.as_str().to_lowercase(), operation(endpoint, *method));
        }
        paths.insert(path(endpoint), Value::Object(item));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "chatd",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A person-to-person message center. Errors have the shapes of Django REST Framework.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    })
}

fn path(endpoint: &Endpoint) -> String {
    let argument = argument(endpoint).map_or("", |(name, _)| name);
    let parts =
        endpoint.path.iter().map(|part| if *part == "<>" { format!("{{{argument}}}/") } else { format!("{part}/") });
    format!("/api/v1/{}", parts.collect::<String>())
}

/// The name and the schema of what stands for `<>`.
fn argument(endpoint: &Endpoint) -> Option<(&'static str, Value)> {
    match endpoint.path {
        ["conversation", "<>", ..] => Some(("name", json!({"type": "string", "minLength": 1}))),
        [_, "<>", ..] => Some(("id", json!({"type": "integer", "format": "int64"}))),
        _ => None,
    }
}

fn schemas() -> Value {
    let mut schemas = Map::new();
    let mut add = |name: &str, schema: Value| drop(schemas.insert(name.to_owned(), schema));
    macro_rules! types {
        ($($type:ty),*) => { $(add(&<$type>::name(), serde_json::to_value(<$type>::schema()).unwrap_or_default());)* };
    }
    types!(
        MessageJson,
        UserJson,
        NumberedJson,
        ConversationJson,
        ConversationsJson,
        OneConversationJson,
        ReadJson,
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
    add("UserPage", page("User"));
    add("Links", json!({"type": "object", "additionalProperties": {"type": "string"}}));
    add("Detail", json!({"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}}));
    let texts = json!({"type": "array", "items": {"type": "string"}});
    add("Errors", json!({"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, texts]}}));
    let not_blank = "^[^\\x00]*[^\\s\\x00][^\\x00]*$";
    let text = |about: &str| json!({"type": "string", "minLength": 1, "pattern": not_blank, "description": about});
    add(
        "NewMessage",
        json!({"type": "object", "required": ["recipient", "body"], "properties": {
            "recipient": text("A username."),
            "body": text("White space around it is cut off. session/ says how long it may be."),
            "client_id": {"type": ["string", "null"], "pattern": "^[A-Za-z0-9_-]{1,64}$",
                "description": "The sender's name for this send: the same one again is the same message."},
        }}),
    );
    add(
        "SignIn",
        json!({"type": "object", "required": ["username", "password"], "properties": {
        "username": {"type": "string"}, "password": {"type": "string", "format": "password"}}}),
    );
    add(
        "ReadUpTo",
        json!({"type": "object", "required": ["seq"], "properties": {
        "seq": {"type": "integer", "format": "int64", "minimum": 0}}}),
    );
    Value::Object(schemas)
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn content(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

fn answer(description: &str, schema: &Value) -> Value {
    json!({"description": description, "content": content(schema)})
}

struct Described {
    summary: &'static str,
    body: Option<&'static str>,
    answers: Vec<(&'static str, &'static str, Option<Value>)>,
    query: Vec<(&'static str, Value, &'static str)>,
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn describe(endpoint: &Endpoint, method: Method) -> Described {
    let text = || json!({"type": "string"});
    let int = || json!({"type": "integer", "format": "int64"});
    let limit = |most: i64| ("limit", json!({"type": "integer", "minimum": 1, "maximum": most}), "The most results.");
    let errors = || Some(reference("Errors"));
    let detail = || Some(reference("Detail"));
    let of = |summary, schema: Value| Described {
        summary,
        body: None,
        answers: vec![("200", "OK", Some(schema))],
        query: Vec::new(),
    };
    let mut d = match (endpoint.path, method) {
        ([], _) => of("Where things are", reference("Links")),
        (["message"], Method::Post) => Described {
            body: Some("NewMessage"),
            answers: vec![
                ("201", "Stored, durably", Some(reference("Message"))),
                ("200", "Stored by an earlier send with this client_id", Some(reference("Message"))),
                ("400", "Fields are wrong", errors()),
                ("404", "No such recipient", detail()),
                ("409", "This client_id was used for other content", detail()),
                ("413", "Too large", detail()),
                ("415", "Not JSON, a form or multipart", detail()),
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
        (["message", ..], _) => of("A message", reference("Message")),
        (["user"], _) => Described {
            query: vec![
                ("search", text(), "The start of a name: pages instead of everybody."),
                ("cursor", text(), "Where a page starts."),
                limit(100),
            ],
            ..of(
                "Everybody else, or people in pages",
                json!({"anyOf": [{"type": "array", "items": reference("User")}, reference("UserPage")]}),
            )
        },
        (["user", ..], _) => of("Somebody", reference("User")),
        (["conversation"], _) => Described {
            query: vec![("cursor", text(), "Where a page starts."), limit(100)],
            ..of("One's conversations, newest activity first", reference("Conversations"))
        },
        (["conversation", _, "read"], _) => Described {
            body: Some("ReadUpTo"),
            answers: vec![
                ("200", "How far both have read", Some(reference("ReadState"))),
                ("400", "Fields are wrong", errors()),
                ("413", "Too large", detail()),
                ("415", "Not JSON, a form or multipart", detail()),
            ],
            ..of("Mark as read up to a number", Value::Null)
        },
        (["conversation", ..], _) => of("The conversation with a person", reference("OneConversation")),
        (["event"], _) => Described {
            query: vec![
                ("after", text(), "What happened after this cursor; without it just the newest cursor."),
                limit(500),
            ],
            answers: vec![
                ("200", "OK", Some(reference("Events"))),
                ("410", "The cursor cannot be served: fetch conversation/ and go on from its cursor", detail()),
            ],
            ..of("What happened", Value::Null)
        },
        (["session"], Method::Post) => Described {
            body: Some("SignIn"),
            answers: vec![
                ("200", "Signed in; the session is in a cookie", Some(reference("Session"))),
                ("400", "Wrong username or password", errors()),
                ("413", "Too large", detail()),
                ("415", "Not JSON, a form or multipart", detail()),
                ("429", "Too many wrong passwords", detail()),
            ],
            ..of("Sign in", Value::Null)
        },
        (["session"], Method::Delete) => {
            Described { answers: vec![("204", "Signed out", None)], ..of("Sign out", Value::Null) }
        }
        (["session"], _) => of("Who am I", reference("Session")),
        _ => of("This description", json!({"type": "object"})),
    };
    let has = |d: &Described, status: &str| d.answers.iter().any(|(s, ..)| *s == status);
    if !d.query.is_empty() && !has(&d, "400") {
        d.answers.push(("400", "A parameter is wrong", errors()));
    }
    if (argument(endpoint).is_some() || endpoint.path == ["message"]) && !has(&d, "404") {
        d.answers.push(("404", "Not there, or not for you", detail()));
    }
    d
}

fn operation(endpoint: &Endpoint, method: Method) -> Value {
    let mut d = describe(endpoint, method);
    let basic = endpoint.access == Access::SessionWithTokenOrBasic;
    d.answers.push(("403", "Not signed in, or from another site", Some(reference("Detail"))));
    d.answers.push(("406", "No such form of the answer", Some(reference("Detail"))));
    if basic {
        d.answers.push(("429", "Too many wrong passwords", Some(reference("Detail"))));
    }
    d.answers.push((
        "503",
        "The database is away; the header Outcome says what became of a write",
        Some(reference("Detail")),
    ));
    let answers = d.answers.into_iter().map(|(status, text, schema)| {
        let value = schema.map_or_else(|| json!({"description": text}), |schema| answer(text, &schema));
        (status.to_owned(), value)
    });
    let query = d.query.into_iter();
    let query =
        query.map(|(name, schema, text)| json!({"name": name, "in": "query", "schema": schema, "description": text}));
    let mut parameters: Vec<_> = query.collect();
    if let Some((name, schema)) = argument(endpoint) {
        parameters.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
    }
    let mut operation = json!({
        "operationId": format!("{}_{}", method.as_str().to_lowercase(), endpoint.name.to_lowercase().replace(' ', "_")),
        "summary": d.summary,
        "parameters": parameters,
        "responses": answers.collect::<Map<_, _>>(),
        "security": match endpoint.access {
            Access::Open => json!([{}, {"session": []}]),
            Access::Session => json!([{"session": []}]),
            Access::SessionWithTokenOrBasic => json!([{"session": []}, {"basic": []}]),
        },
    });
    if argument(endpoint).is_some() {
        // An argument can make it an address that is none, and that has a page.
        operation["responses"]["404"]["content"]["text/html"] = json!({"schema": {"type": "string"}});
    }
    if let Some(body) = d.body {
        let schema = reference(body);
        operation["requestBody"] = json!({"required": true, "content": {
            "application/json": {"schema": schema}, "application/x-www-form-urlencoded": {"schema": schema},
        }});
    }
    operation
}
