//! `user/`: everybody, as recorded; or, with `search` or `cursor`, people in pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rocket::data::Data;
use rocket::http::Method;

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::json::{PageJson, UserJson};
use super::query::integer;
use super::reply::Reply;

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["user"],
        name: "User Model List",
        access: Access::SessionWithTokenOrBasic,
        methods: &[(Method::Get, list)],
        allow: "GET, HEAD, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["user", "<>"],
        name: "User Model Instance",
        access: Access::SessionWithTokenOrBasic,
        methods: &[(Method::Get, detail)],
        allow: "GET, HEAD, OPTIONS",
        suffix: true,
        form: false,
    },
];

fn list<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        if call.query.has("search") || call.query.has("cursor") {
            return search(call).await;
        }
        let everybody = call.app.chat.everybody(call.user_id()?).await?;
        Ok(call.ok(&everybody.into_iter().map(UserJson::from).collect::<Vec<_>>()))
    })
}

async fn search(call: &Call<'_>) -> Result<Reply, ApiError> {
    let limit = call.query.integer("limit", 1, 100)?.unwrap_or(20);
    let after = call.query.get("cursor").map(decode).transpose()?;
    let prefix = call.query.get("search").unwrap_or_default();
    let page = call.app.chat.search_people(call.user_id()?, prefix, after.as_deref(), limit).await?;
    let next = page.next.map(|key| call.link(&call.query.with("cursor", Some(&encode(&key)))));
    let results = page.people.into_iter().map(UserJson::from).collect();
    Ok(call.ok(&PageJson::<UserJson> { next, previous: None, results }))
}

/// The place behind a name.
pub(super) fn encode(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

pub(super) fn decode(cursor: &str) -> Result<String, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|key| !key.contains('\0'));
    key.ok_or_else(|| ApiError::Fields(FieldErrors::one("cursor", "Enter a valid cursor.")))
}

fn detail<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let id = integer(call.arg()).ok_or(ApiError::NotFound)?;
        Ok(call.ok(&UserJson::from(call.app.chat.user(id).await?)))
    })
}
