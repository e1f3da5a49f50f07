//! `conversation/`: the list, one of it, and how far it has been read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rocket::data::Data;
use rocket::http::Method;

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::fields::{Fields, Given};
use super::json::{ConversationsJson, OneConversationJson, ReadJson};
use super::query::integer;
use super::reply::Reply;
use super::settings;
use crate::domain::{ConversationId, Mark, Timestamp};
use crate::store::Which;

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["conversation"],
        name: "Conversation List",
        access: Access::Session,
        methods: &[(Method::Get, list)],
        allow: "GET, HEAD, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["conversation", "<>"],
        name: "Conversation",
        access: Access::Session,
        methods: &[(Method::Get, detail), (Method::Patch, settings::arrange)],
        allow: "GET, PATCH, HEAD, OPTIONS",
        suffix: false,
        form: false,
    },
    Endpoint {
        path: &["conversation", "<>", "read"],
        name: "Conversation Read",
        access: Access::Session,
        methods: &[(Method::Post, read)],
        allow: "POST, OPTIONS",
        suffix: false,
        form: false,
    },
    Endpoint {
        path: &["conversation", "<>", "delivered"],
        name: "Conversation Delivered",
        access: Access::Session,
        methods: &[(Method::Post, delivered)],
        allow: "POST, OPTIONS",
        suffix: false,
        form: false,
    },
];

fn list<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let user = call.user_id()?;
        let limit = call.query.integer("limit", 1, 100)?.unwrap_or(30);
        let after = call.query.get("cursor").map(decode).transpose()?;
        let which = match call.query.get("pinned") {
            None => Which::All,
            Some("true") => Which::Pinned,
            Some(_) => return Err(ApiError::Fields(FieldErrors::one("pinned", "Select a valid choice: true."))),
        };
        let page = call.app.chat.conversations(user, which, after, limit).await?;
        let next = page.next.map(|place| call.link(&call.query.with("cursor", Some(&encode(place)))));
        Ok(call.ok(&ConversationsJson {
            next,
            previous: None,
            results: page.conversations.into_iter().map(Into::into).collect(),
            cursor: call.app.chat.cursor(user, page.head),
        }))
    })
}

/// The place behind a row of the list.
pub(super) fn encode((time, id): (Timestamp, ConversationId)) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{id}", time.0))
}

pub(super) fn decode(cursor: &str) -> Result<(Timestamp, ConversationId), ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let place = text.as_deref().and_then(|text| text.split_once('.'));
    let place = place.and_then(|(time, id)| Some((Timestamp(time.parse().ok()?), id.parse().ok()?)));
    place.ok_or_else(|| ApiError::Fields(FieldErrors::one("cursor", "Enter a valid cursor.")))
}

fn detail<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let user = call.user_id()?;
        let (conversation, head) = call.app.chat.conversation(user, call.arg()).await?;
        let cursor = call.app.chat.cursor(user, head);
        Ok(call.ok(&OneConversationJson { conversation: conversation.into(), cursor }))
    })
}

fn read<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(mark(call, data, Mark::Read))
}

fn delivered<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(mark(call, data, Mark::Delivered))
}

async fn mark<'r>(call: &Call<'r>, data: Data<'r>, mark: Mark) -> Result<Reply, ApiError> {
    let fields = call.fields(data).await?;
    let mut errors = FieldErrors::default();
    let seq = errors.take("seq", seq(&fields));
    errors.check()?;
    let state = call.app.chat.mark(call.user_id()?, call.arg(), (mark, seq.unwrap_or(0))).await?;
    Ok(call.ok(&ReadJson::from(state)))
}

fn seq(fields: &Fields) -> Result<i64, Vec<String>> {
    let invalid = || vec!["A valid integer is required.".to_owned()];
    match fields.get("seq") {
        Some(Given::Text(text) | Given::Number(text)) => {
            let seq = integer(text).ok_or_else(invalid)?;
            if seq < 0 { Err(vec!["Ensure this value is greater than or equal to 0.".to_owned()]) } else { Ok(seq) }
        }
        Some(Given::Null) => Err(vec!["This field may not be null.".to_owned()]),
        Some(Given::Bool(_) | Given::Other) => Err(invalid()),
        None => Err(vec!["This field is required.".to_owned()]),
    }
}
