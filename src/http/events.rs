//! `event/`: what happened after a cursor.

use rocket::data::Data;
use rocket::http::Method;

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::json::{EventJson, EventsJson};
use crate::domain::Cursor;

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: &["event"],
    name: "Event List",
    access: Access::Session,
    methods: &[(Method::Get, list)],
    allow: "GET, HEAD, OPTIONS",
    suffix: true,
    form: false,
}];

/// Reads a client's cursor.
pub fn cursor(text: &str) -> Result<Cursor, ApiError> {
    Cursor::decode(text).map_err(|e| ApiError::Fields(FieldErrors::one("after", e)))
}

fn list<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let (user, chat) = (call.user_id()?, &call.app.chat);
        let limit = call.query.integer("limit", 1, 500)?.unwrap_or(100);
        let Some(after) = call.query.get("after") else {
            let head = chat.head(user).await?;
            return Ok(call.ok(&EventsJson { events: Vec::new(), cursor: chat.cursor(user, head), more: false }));
        };
        let page = chat.events(user, &cursor(after)?, limit).await?;
        Ok(call.ok(&EventsJson {
            events: page.events.into_iter().map(|event| EventJson::new(chat, user, event)).collect(),
            cursor: chat.cursor(user, page.end),
            more: page.more,
        }))
    })
}
