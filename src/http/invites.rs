//! `invite/`: links with which people make their accounts.

use rocket::data::Data;
use rocket::http::{Method, Status};

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::fields::{Fields, Given};
use super::json::{InviteJson, InvitesJson, NewInviteJson};
use super::query::integer;
use super::reply::Reply;
use crate::auth::{InvalidInvite, InviteError, InviteWish};
use crate::domain::User;

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["invite"],
        name: "Invite List",
        access: Access::Session,
        methods: &[(Method::Get, list), (Method::Post, make)],
        allow: "GET, POST, HEAD, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["invite", "<>"],
        name: "Invite",
        access: Access::Session,
        methods: &[(Method::Delete, revoke)],
        allow: "DELETE, OPTIONS",
        suffix: true,
        form: false,
    },
];

/// Who may not make invites has none to look at either.
fn inviter<'a>(call: &'a Call<'_>) -> Result<&'a User, ApiError> {
    let user = call.user()?;
    if call.app.auth.may_invite(user) { Ok(user) } else { Err(ApiError::NotYours) }
}

fn list<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let invites = call.app.auth.invites(Some(inviter(call)?)).await?;
        let now = call.app.clock.now();
        let results = invites.into_iter().map(|invite| InviteJson::new(invite, now)).collect();
        Ok(call.ok(&InvitesJson { results }))
    })
}

fn make<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let maker = inviter(call)?;
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let uses = errors.take("uses", number(&fields, "uses", InviteWish::USES));
        let days = errors.take("days", number(&fields, "days", InviteWish::DAYS));
        let note = errors.take("note", note(&fields));
        errors.check()?;
        let wish = InviteWish {
            uses: uses.unwrap_or_default(),
            days: days.unwrap_or_default(),
            note: note.unwrap_or_default(),
        };
        let (invite, token) = call.app.auth.invite(Some(maker), &wish).await?;
        let url = format!("{}{}", call.app.origin(call.req), call.app.path(&format!("signup/{token}/")));
        let made = NewInviteJson { invite: InviteJson::new(invite, call.app.clock.now()), url };
        Ok(call.reply(Status::Created, &made))
    })
}

fn number(fields: &Fields, name: &str, default: i64) -> Result<i64, Vec<String>> {
    match fields.get(name) {
        None => Ok(default),
        Some(Given::Text(text) | Given::Number(text)) if let Some(number) = integer(text) => Ok(number),
        Some(_) => Err(vec!["A valid integer is required.".to_owned()]),
    }
}

fn note(fields: &Fields) -> Result<String, Vec<String>> {
    match fields.get("note") {
        None => Ok(String::new()),
        Some(_) => fields.text("note").map(str::to_owned),
    }
}

fn revoke<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let user = inviter(call)?;
        let id = integer(call.arg()).ok_or(ApiError::NotFound)?;
        if !call.app.auth.revoke_invite(Some(user), id).await? {
            return Err(ApiError::NotFound);
        }
        Ok(Reply::empty(Status::NoContent))
    })
}

impl From<InviteError> for ApiError {
    fn from(e: InviteError) -> Self {
        let field = match e {
            InviteError::Invalid(InvalidInvite::Uses) => "uses",
            InviteError::Invalid(InvalidInvite::Days) => "days",
            InviteError::Invalid(InvalidInvite::Note) => "note",
            InviteError::Store(e) => return e.into(),
        };
        Self::Fields(FieldErrors::one(field, e))
    }
}
