//! `block/`, whom one does not hear from; and taking a stranger's request, which is a part of `conversation/`.

use rocket::data::Data;
use rocket::http::{Method, Status};

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::json::{BlockJson, BlocksJson, ConversationSettingsJson};
use super::reply::Reply;
use crate::chat::ChatError;

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["block"],
        name: "Blocked People",
        access: Access::Session,
        methods: &[(Method::Get, list), (Method::Post, block)],
        allow: "GET, POST, HEAD, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["block", "<>"],
        name: "Blocked Person",
        access: Access::Session,
        methods: &[(Method::Delete, unblock)],
        allow: "DELETE, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["conversation", "<>", "accept"],
        name: "Conversation Request",
        access: Access::Session,
        methods: &[(Method::Post, accept)],
        allow: "POST, OPTIONS",
        suffix: true,
        form: false,
    },
];

fn list<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let blocked = call.app.chat.blocked(call.user_id()?).await?;
        let results = blocked.into_iter().map(|(blocked, face)| BlockJson::new(blocked, face)).collect();
        Ok(call.ok(&BlocksJson { results }))
    })
}

fn block<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let name = errors.take("user", fields.text("user"));
        errors.check()?;
        let (chat, user) = (&call.app.chat, call.user_id()?);
        let ((blocked, face), is_new) = match chat.block(user, name.unwrap_or_default()).await {
            Err(ChatError::Oneself) => {
                return Err(ApiError::Fields(FieldErrors::one("user", "You cannot block yourself.")));
            }
            done => done?,
        };
        let status = if is_new { Status::Created } else { Status::Ok };
        Ok(call.reply(status, &BlockJson::new(blocked, face)))
    })
}

fn unblock<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        call.app.chat.unblock(call.user_id()?, call.arg()).await?;
        Ok(Reply::empty(Status::NoContent))
    })
}

fn accept<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let settings = call.app.chat.accept(call.user_id()?, call.arg()).await?;
        Ok(call.ok(&ConversationSettingsJson::from(settings)))
    })
}
