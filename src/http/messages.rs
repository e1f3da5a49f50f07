//! `message/`: sending, and reading in numbered pages or by the message's number.

use rocket::data::Data;
use rocket::http::{Method, Status};

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::fields::{Fields, Given};
use super::json::{MessageJson, NumberedJson, PageJson};
use super::query::{Query, integer};
use super::reply::Reply;
use crate::chat::{History, Letter, PageNumber};
use crate::domain::{Body, ClientId, Edit, MessageId, Seq, Slice, is_space};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["message"],
        name: "Message Model List",
        access: Access::Session,
        methods: &[(Method::Get, list), (Method::Post, create)],
        allow: "GET, POST, HEAD, OPTIONS",
        suffix: true,
        form: true,
    },
    Endpoint {
        path: &["message", "<>"],
        name: "Message Model Instance",
        access: Access::Session,
        methods: &[(Method::Get, detail), (Method::Patch, edit), (Method::Delete, delete)],
        // As recorded: POST is listed, and refused.
        allow: "GET, POST, PATCH, DELETE, HEAD, OPTIONS",
        suffix: true,
        form: true,
    },
];

fn create<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let recipient = errors.take("recipient", recipient(&fields));
        let body = errors.take("body", body(&fields, call.app.settings.message_max_length));
        let key = errors.take("client_id", client_id(&fields, call.req.headers().get_one("Idempotency-Key")));
        let reply_to = errors.take("reply_to", reply_to(&fields));
        errors.check()?;
        let (Some(recipient), Some(body), Some(key), Some(reply_to)) = (recipient, body, key, reply_to) else {
            return Err(ApiError::Internal("a field without value or error".to_owned()));
        };
        let letter = Letter { recipient: &recipient, body, key, reply_to };
        let sent = call.app.chat.send(call.user_id()?, letter).await?;
        let status = if sent.created { Status::Created } else { Status::Ok };
        Ok(call.reply(status, &MessageJson::from(sent.message)))
    })
}

pub(super) fn recipient(fields: &Fields) -> Result<String, Vec<String>> {
    let text = fields.text("recipient")?.trim_matches(is_space);
    if text.is_empty() {
        return Err(vec!["This field may not be blank.".to_owned()]);
    }
    if text.contains('\0') {
        return Err(vec!["Null characters are not allowed.".to_owned()]);
    }
    Ok(text.to_owned())
}

pub(super) fn body(fields: &Fields, max: usize) -> Result<Body, Vec<String>> {
    Body::new(fields.text("body")?, max).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// The sender's key, from the field or the header `Idempotency-Key`; both must agree.
pub(super) fn client_id(fields: &Fields, header: Option<&str>) -> Result<Option<ClientId>, Vec<String>> {
    let check = |text: &str| ClientId::new(text).map_err(|e| vec![e.to_string()]);
    let field = match fields.get("client_id") {
        None | Some(Given::Null) => None,
        Some(Given::Text(text) | Given::Number(text)) => Some(check(text)?),
        Some(Given::Bool(_) | Given::Other) => return Err(vec!["Not a valid string.".to_owned()]),
    };
    let header = header.map(|text| {
        let text = text.trim();
        check(text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text))
    });
    match (field, header.transpose()?) {
        (Some(field), Some(header)) if field != header => {
            Err(vec!["client_id and the header Idempotency-Key differ.".to_owned()])
        }
        (field, header) => Ok(field.or(header)),
    }
}

/// The number of the message that is answered, if any.
pub(super) fn reply_to(fields: &Fields) -> Result<Option<Seq>, Vec<String>> {
    match fields.get("reply_to") {
        None | Some(Given::Null) => Ok(None),
        // An empty field of a form.
        Some(Given::Text(text)) if text.is_empty() => Ok(None),
        Some(Given::Text(text) | Given::Number(text)) => {
            integer(text).map(Some).ok_or_else(|| vec!["A valid integer is required.".to_owned()])
        }
        Some(Given::Bool(_) | Given::Other) => Err(vec!["A valid integer is required.".to_owned()]),
    }
}

/// The number of the message in the path.
fn id(call: &Call<'_>) -> Result<MessageId, ApiError> {
    integer(call.arg()).ok_or(ApiError::NotFound)
}

fn edit<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let id = id(call)?;
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let body = errors.take("body", body(&fields, call.app.settings.message_max_length));
        errors.check()?;
        let body = body.ok_or_else(|| ApiError::Internal("a field without value or error".to_owned()))?;
        let message = call.app.chat.change(call.user_id()?, id, Edit::Body(body)).await?;
        Ok(call.ok(&MessageJson::from(message)))
    })
}

fn delete<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        call.app.chat.change(call.user_id()?, id(call)?, Edit::Delete).await?;
        Ok(Reply::empty(Status::NoContent))
    })
}

fn detail<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let message = call.app.chat.message_for(call.user_id()?, id(call)?).await?;
        Ok(call.ok(&MessageJson::from(message)))
    })
}

fn list<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let by_seq = ["before_seq", "after_seq", "around_seq"].into_iter().filter(|name| call.query.has(name));
        match by_seq.collect::<Vec<_>>().as_slice() {
            [] => numbered(call).await,
            [name] => slice(call, name).await,
            [_, second, ..] => {
                let error = "Give one of before_seq, after_seq and around_seq.";
                Err(ApiError::Fields(FieldErrors::one(second, error)))
            }
        }
    })
}

/// The recorded list: a count, and pages by number.
async fn numbered(call: &Call<'_>) -> Result<Reply, ApiError> {
    let page = page(&call.query)?;
    let size = i64::from(call.app.settings.messages_to_load);
    let found = call.app.chat.numbered_page(call.user_id()?, call.query.get("target"), page, size).await?;
    let link = |number: i64| {
        let page = (number > 1).then(|| number.to_string());
        call.link(&call.query.with("page", page.as_deref()))
    };
    Ok(call.ok(&NumberedJson {
        count: found.count,
        next: (found.number < found.pages).then(|| link(found.number + 1)),
        previous: (found.number > 1).then(|| link(found.number - 1)),
        results: found.messages.into_iter().map(Into::into).collect(),
    }))
}

/// Which page is asked for; whether there is such a page is for the count to say.
pub(super) fn page(query: &Query) -> Result<PageNumber, ApiError> {
    Ok(match query.get("page") {
        None => PageNumber::At(1),
        Some("last") => PageNumber::Last,
        Some(text) => PageNumber::At(integer(text).ok_or(ApiError::InvalidPage)?),
    })
}

/// A part of a conversation by number: no count, and the same cost everywhere.
async fn slice(call: &Call<'_>, name: &'static str) -> Result<Reply, ApiError> {
    let seq = call.query.integer(name, i64::MIN, i64::MAX)?.unwrap_or(0);
    let default = i64::from(call.app.settings.messages_to_load.min(100));
    let limit = call.query.integer("limit", 1, 100)?.unwrap_or(default);
    let Some(target) = call.query.get("target") else {
        return Err(ApiError::Fields(FieldErrors::one("target", "This field is required.")));
    };
    let part = match name {
        "before_seq" => Slice::Before(seq),
        "after_seq" => Slice::After(seq),
        _ => Slice::Around(seq),
    };
    let History { messages, older_than, newer_than } =
        call.app.chat.history(call.user_id()?, target, part, limit).await?;
    let without = call.query.with(name, None);
    let link = |name: &str, seq: i64| call.link(&without.with(name, Some(&seq.to_string())));
    Ok(call.ok(&PageJson {
        next: older_than.map(|seq| link("before_seq", seq)),
        previous: newer_than.map(|seq| link("after_seq", seq)),
        results: messages.into_iter().map(MessageJson::from).collect::<Vec<_>>(),
    }))
}
