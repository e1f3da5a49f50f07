//! `account/delete/`: the end of one's account.

use rocket::data::Data;
use rocket::http::{Method, Status};

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::passkeys::site;
use super::reply::Reply;
use super::second_factor::proof;
use crate::auth::{At, EraseError};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: &["account", "delete"],
    name: "Account Deletion",
    access: Access::Session,
    methods: &[(Method::Post, delete)],
    allow: "POST, OPTIONS",
    suffix: true,
    form: false,
}];

fn delete<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let (current, second) = proof(&fields)?;
        let (origin, site) = (call.origin(), site(call.app, call.req));
        let at = At { origin: &origin, site: site.as_ref() };
        call.app.auth.delete_account(call.user()?, current, second, at).await?;
        Ok(Reply::empty(Status::NoContent).cookie(call.app.baker.no_session()))
    })
}

impl From<EraseError> for ApiError {
    fn from(e: EraseError) -> Self {
        match e {
            EraseError::Wrong => Self::Fields(FieldErrors::one("current_password", e)),
            EraseError::LastSuperuser => Self::NonField(e.to_string()),
            EraseError::Proof(e) => e.into(),
            EraseError::Store(e) => e.into(),
        }
    }
}
