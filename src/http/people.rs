//! `user/`: everybody, as recorded; or, with `search` or `cursor`, people in pages.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt as _;
use futures_util::stream;
use rocket::data::Data;
use rocket::http::Method;

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::json::{self, PageJson, PersonJson, UserJson};
use super::negotiate::Form;
use super::query::integer;
use super::reply::Reply;
use crate::domain::{Place, User};

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
        everybody(call).await
    })
}

/// The recorded list. What fits into one part is sent as it always was; more is sent while it is read.
async fn everybody(call: &Call<'_>) -> Result<Reply, ApiError> {
    let most = i64::from(call.app.settings.user_list_max);
    let mut everybody = call.app.chat.everybody(call.user_id()?, most).await?;
    let mut first = everybody.part().await?.unwrap_or_default();
    let indent = match call.form {
        Form::Json { indent } => indent,
        Form::Html => {
            // It becomes part of a page.
            while let Some(more) = everybody.part().await? {
                first.extend(more);
            }
            0
        }
    };
    let of = |users: Vec<User>| users.into_iter().map(UserJson::from).collect::<Vec<_>>();
    let first = of(first);
    if !everybody.has_more() {
        return Ok(call.ok(&first));
    }
    let (start, end) = json::open_list(&first, indent);
    let rest = stream::try_unfold(Some(everybody), move |everybody| {
        let end = end.clone();
        async move {
            let Some(mut everybody) = everybody else { return Ok(None) };
            // A list that breaks off has no end: nobody takes it for all of it.
            let part = everybody.part().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>(Some(match part {
                Some(users) => (json::go_on_with_list(&of(users), indent), Some(everybody)),
                None => (end, None),
            }))
        }
    });
    Ok(Reply::in_parts(start, rest.boxed()))
}

async fn search(call: &Call<'_>) -> Result<Reply, ApiError> {
    let limit = call.query.integer("limit", 1, 100)?.unwrap_or(20);
    let after = call.query.get("cursor").map(decode).transpose()?;
    let prefix = call.query.get("search").unwrap_or_default();
    let page = call.app.chat.search_people(call.user_id()?, prefix, after.as_ref(), limit).await?;
    let next = page.next.map(|place| call.link(&call.query.with("cursor", Some(&encode(&place)))));
    let results = page.people.into_iter().map(PersonJson::from).collect();
    Ok(call.ok(&PageJson::<PersonJson> { next, previous: None, results }))
}

/// The place behind a name.
pub(super) fn encode(place: &Place) -> String {
    URL_SAFE_NO_PAD.encode(&place.0)
}

pub(super) fn decode(cursor: &str) -> Result<Place, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok().filter(|bytes| bytes.len() <= Place::MOST_BYTES);
    bytes.map(Place).ok_or_else(|| ApiError::Fields(FieldErrors::one("cursor", "Enter a valid cursor.")))
}

fn detail<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let id = integer(call.arg()).ok_or(ApiError::NotFound)?;
        Ok(call.ok(&UserJson::from(call.app.chat.user(id).await?)))
    })
}
