//! `GET /api/v1/`, and what OPTIONS says of every endpoint.

use rocket::data::Data;
use rocket::http::Method;
use serde_json::{Value, json};

use super::api::{Access, Call, Endpoint, Running};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: &[],
    name: "Api Root",
    access: Access::SessionWithTokenOrBasic,
    methods: &[(Method::Get, links)],
    allow: "GET, HEAD, OPTIONS",
    suffix: true,
    form: false,
}];

fn links<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let link = |name: &str| {
            let tail = if call.suffix.is_empty() { "/" } else { call.suffix.as_str() };
            format!("{}{}api/v1/{name}{tail}", call.app.origin(call.req), call.app.base)
        };
        Ok(call.ok(&json!({
            "message": link("message"),
            "user": link("user"),
            "conversation": link("conversation"),
            "event": link("event"),
            "session": link("session"),
            "schema": link("schema"),
        })))
    })
}

/// What OPTIONS answers.
pub fn metadata(endpoint: &Endpoint) -> Value {
    let description = if endpoint.path.is_empty() { "The default basic root view for DefaultRouter" } else { "" };
    let mut value = json!({
        "name": endpoint.name,
        "description": description,
        "renders": ["application/json", "text/html"],
        "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
    });
    if endpoint.form {
        let field = |kind: &str, label: &str, given: bool| json!({"type": kind, "required": given, "read_only": !given, "label": label});
        value["actions"] = json!({"POST": {
            "id": field("integer", "ID", false),
            "user": field("string", "User", false),
            "recipient": field("string", "Recipient", true),
            "timestamp": field("datetime", "Timestamp", false),
            "body": field("string", "Body", true),
            "client_id": {"type": "string", "required": false, "read_only": false, "label": "Client id"},
        }});
    }
    value
}
