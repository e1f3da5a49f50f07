//! The API's description, OpenAPI 3.1, from the table of endpoints and the types that are written.

use rocket::data::Data;
use rocket::http::Method;
use serde_json::{Map, Value, json};

use self::schemas::{form, reference, schemas};
use super::api::{Access, Call, Endpoint, Running, TABLE};
use super::profiles::PICTURES;

mod accounts;
mod factors;
mod schemas;
mod talk;

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
        ["conversation" | "profile" | "block", "<>", ..] => Some(("name", json!({"type": "string", "minLength": 1}))),
        ["avatar", "<>"] => Some(("avatar", json!({"type": "string", "minLength": 1}))),
        ["device", "<>"] => Some(("id", json!({"type": "string", "minLength": 1}))),
        [_, "<>", ..] | [_, _, "<>", ..] => Some(("id", json!({"type": "integer", "format": "int64"}))),
        _ => None,
    }
}

fn content(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

fn answer(description: &str, schema: &Value) -> Value {
    json!({"description": description, "content": content(schema)})
}

/// An operation in words.
pub(super) struct Described {
    pub summary: &'static str,
    pub body: Option<&'static str>,
    pub answers: Vec<(&'static str, &'static str, Option<Value>)>,
    pub query: Vec<(&'static str, Value, &'static str)>,
}

/// An operation with one answer.
fn of(summary: &'static str, schema: Value) -> Described {
    Described { summary, body: None, answers: vec![("200", "OK", Some(schema))], query: Vec::new() }
}

/// What is said of wrong fields.
fn errors() -> Value {
    reference("Errors")
}

/// What is said of everything else.
fn detail() -> Value {
    reference("Detail")
}

fn describe(endpoint: &Endpoint, method: Method) -> Described {
    let (path, post) = (endpoint.path, method == Method::Post);
    let factor = post.then(|| factors::describe(path)).flatten();
    let mut d = factor
        .or_else(|| talk::describe(path, method))
        .or_else(|| accounts::describe(path, method))
        .unwrap_or_else(|| of("This description", json!({"type": "object"})));
    let has = |d: &Described, status: &str| d.answers.iter().any(|(s, ..)| *s == status);
    if !d.query.is_empty() && !has(&d, "400") {
        d.answers.push(("400", "A parameter is wrong", Some(errors())));
    }
    if (argument(endpoint).is_some() || endpoint.path == ["message"]) && !has(&d, "404") {
        d.answers.push(("404", "Not there, or not for you", Some(detail())));
    }
    d
}

fn operation(endpoint: &Endpoint, method: Method) -> Value {
    let mut d = describe(endpoint, method);
    let basic = endpoint.access == Access::SessionWithTokenOrBasic;
    if !d.answers.iter().any(|(status, ..)| *status == "403") {
        d.answers.push(("403", "Not signed in, or from another site", Some(reference("Detail"))));
    }
    d.answers.push(("406", "No such form of the answer", Some(reference("Detail"))));
    if !d.answers.iter().any(|(status, ..)| *status == "429") {
        let text = if basic { "Too many requests, or wrong passwords" } else { "Too many requests" };
        d.answers.push(("429", text, Some(reference("Detail"))));
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
    if endpoint.path == ["avatar", "<>"] {
        operation["responses"]["200"]["content"] = json!({"image/jpeg": {}});
    }
    if let ["account", "export", "<>", file] = endpoint.path {
        let kind = if *file == "data.jsonl" { "application/jsonl" } else { "text/html" };
        operation["responses"]["200"]["content"] = json!({kind: {}});
    }
    if endpoint.path == ["account", "avatar"] && method == Method::Put {
        let content = PICTURES.map(|kind| (kind.to_owned(), json!({}))).into_iter().collect::<Map<_, _>>();
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    if let Some(body) = d.body {
        let mut schema = schemas()[body].take();
        // Without a body nothing was given, and where nothing has to be given that is in order.
        let required = schema["required"].is_array();
        operation["requestBody"] = json!({"required": required, "content": {
            "application/json": {"schema": reference(body)},
            "application/x-www-form-urlencoded": {"schema": form(schema.take())},
        }});
    }
    operation
}
