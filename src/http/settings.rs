//! `settings/`, what one shares with others; and how one keeps a conversation, which is a part of `conversation/`.

use rocket::data::Data;
use rocket::http::Method;

use super::api::{Access, Call, Endpoint, Running};
use super::error::FieldErrors;
use super::fields::{Fields, Nullable};
use super::json::{ConversationSettingsJson, SharingJson};
use crate::domain::{ConversationSettingsChange, Muting, SharingChange, WhoMayWrite};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: &["settings"],
    name: "Settings",
    access: Access::Session,
    methods: &[(Method::Get, show), (Method::Patch, change)],
    allow: "GET, PATCH, HEAD, OPTIONS",
    suffix: true,
    form: false,
}];

fn show<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move { Ok(call.ok(&SharingJson::from(call.app.chat.sharing(call.user_id()?).await?))) })
}

fn change<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let typing = errors.take("share_typing", fields.flag("share_typing"));
        let presence = errors.take("share_presence", fields.flag("share_presence"));
        let read = errors.take("share_read", fields.flag("share_read"));
        let who = errors.take("who_may_write", who_may_write(&fields));
        errors.check()?;
        let change = SharingChange {
            typing: typing.flatten(),
            presence: presence.flatten(),
            read: read.flatten(),
            who_may_write: who.flatten(),
        };
        Ok(call.ok(&SharingJson::from(call.app.chat.share(call.user_id()?, change).await?)))
    })
}

fn who_may_write(fields: &Fields) -> Result<Option<WhoMayWrite>, Vec<String>> {
    if fields.get("who_may_write").is_none() {
        return Ok(None);
    }
    let text = fields.text("who_may_write")?;
    WhoMayWrite::parse(text).map(Some).ok_or_else(|| vec![format!("\"{text}\" is not a valid choice.")])
}

/// `PATCH conversation/NAME/`.
pub fn arrange<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let muted_until = errors.take("muted_until", fields.time("muted_until"));
        let pinned = errors.take("pinned", fields.flag("pinned"));
        let archived = errors.take("archived", fields.flag("archived"));
        errors.check()?;
        let change = ConversationSettingsChange {
            muting: muted_until.flatten().map(|until| match until {
                Nullable::Null => Muting::Off,
                Nullable::Value(time) => Muting::Until(time),
            }),
            pinned: pinned.flatten(),
            archived: archived.flatten(),
        };
        let settings = call.app.chat.arrange(call.user_id()?, call.arg(), &change).await?;
        Ok(call.ok(&ConversationSettingsJson::from(settings)))
    })
}
