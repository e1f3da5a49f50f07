//! `account/`: what one's account is, and its password.

use rocket::data::Data;
use rocket::http::{Method, Status};

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::json::AccountJson;
use super::reply::Reply;
use super::session::with_session;
use super::words;
use crate::auth::ChangePasswordError;

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["account"],
        name: "Account",
        access: Access::Session,
        methods: &[(Method::Get, show)],
        allow: "GET, HEAD, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["account", "password"],
        name: "Account Password",
        access: Access::Session,
        methods: &[(Method::Post, change_password)],
        allow: "POST, OPTIONS",
        suffix: true,
        form: false,
    },
];

fn show<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move { Ok(call.ok(&AccountJson::from(call.user()?))) })
}

/// Ends every other session, and gives this one a new token.
fn change_password<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let current = errors.take("current_password", fields.text("current_password"));
        let new = errors.take("new_password", fields.text("new_password"));
        errors.check()?;
        let (current, new) = (current.unwrap_or_default(), new.unwrap_or_default());
        let changed =
            call.app.auth.change_password(call.user()?, current, new, words::of(call.req).lang, &call.origin()).await?;
        Ok(with_session(call.app, Reply::empty(Status::NoContent), &changed.token))
    })
}

impl From<ChangePasswordError> for ApiError {
    fn from(e: ChangePasswordError) -> Self {
        match e {
            ChangePasswordError::Wrong => Self::Fields(FieldErrors::one("current_password", e)),
            ChangePasswordError::Weak(e) => Self::Fields(FieldErrors::one("new_password", e)),
            ChangePasswordError::Throttled(seconds) => Self::Throttled(seconds),
            ChangePasswordError::Store(e) => e.into(),
        }
    }
}
