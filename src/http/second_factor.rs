//! `account/second-factor/`: an authenticator app, recovery codes, and what there is.

use rocket::data::Data;
use rocket::http::Method;

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::fields::{Fields, Given};
use super::json::{FactorsChangedJson, SecondFactorJson, TotpSetUpJson};
use super::passkeys::{assertion, site};
use super::reply::Reply;
use super::session::with_session;
use crate::auth::{At, FactorError, FactorsChanged, PasskeyError, Second};

const fn endpoint(
    path: &'static [&'static str],
    name: &'static str,
    post: &'static [(Method, super::api::Run)],
) -> Endpoint {
    Endpoint { path, name, access: Access::Session, methods: post, allow: "POST, OPTIONS", suffix: true, form: false }
}

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["account", "second-factor"],
        name: "Second Factor",
        access: Access::Session,
        methods: &[(Method::Get, show), (Method::Post, start)],
        allow: "GET, POST, HEAD, OPTIONS",
        suffix: true,
        form: false,
    },
    endpoint(&["account", "second-factor", "confirm"], "Second Factor Confirm", &[(Method::Post, confirm)]),
    endpoint(&["account", "second-factor", "off"], "Second Factor Off", &[(Method::Post, off)]),
    endpoint(&["account", "second-factor", "recovery-codes"], "Recovery Codes", &[(Method::Post, new_codes)]),
];

/// A text that need not be there; empty is none.
pub fn optional<'f>(fields: &'f Fields, name: &str) -> Result<Option<&'f str>, Vec<String>> {
    match fields.get(name) {
        None | Some(Given::Null) => Ok(None),
        Some(_) => fields.text(name).map(|text| Some(text).filter(|text| !text.is_empty())),
    }
}

/// What is shown for a second step: a passkey, or a code.
pub fn second<'f>(fields: &'f Fields, errors: &mut FieldErrors) -> Option<Second<'f>> {
    if let Some(assertion) = assertion(fields, errors) {
        return Some(Second::Passkey(assertion));
    }
    errors.take("code", optional(fields, "code")).flatten().map(Second::Code)
}

/// The password once more, and the second step where there is one.
pub fn proof(fields: &Fields) -> Result<(&str, Option<Second<'_>>), ApiError> {
    let mut errors = FieldErrors::default();
    let password = errors.take("current_password", fields.text("current_password"));
    let second = second(fields, &mut errors);
    errors.check()?;
    Ok((password.unwrap_or_default(), second))
}

/// What was changed, and the session that goes on.
pub fn changed(call: &Call<'_>, changed: &FactorsChanged) -> Reply {
    with_session(call.app, call.ok(&FactorsChangedJson::from(changed)), &changed.signed_in.token)
}

fn show<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let factors = call.app.auth.factors(call.user()?).await?;
        Ok(call.ok(&SecondFactorJson::new(&factors, site(call.app, call.req).is_some())))
    })
}

fn start<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let (password, second) = proof(&fields)?;
        let (origin, site) = (call.origin(), site(call.app, call.req));
        let at = At { origin: &origin, site: site.as_ref() };
        // The name by which people know this server, in their app.
        let host = call.app.origin(call.req);
        let issuer = host.split_once("://").map_or(host.as_str(), |(_, host)| host);
        let set_up = call.app.auth.start_totp(call.user()?, password, second, issuer, at).await?;
        Ok(call.ok(&TotpSetUpJson::from(set_up)))
    })
}

fn confirm<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let token = errors.take("token", fields.text("token"));
        let code = errors.take("code", fields.text("code"));
        errors.check()?;
        let (token, code) = (token.unwrap_or_default(), code.unwrap_or_default());
        Ok(changed(call, &call.app.auth.confirm_totp(call.user()?, token, code, &call.origin()).await?))
    })
}

fn off<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let (password, second) = proof(&fields)?;
        let (origin, site) = (call.origin(), site(call.app, call.req));
        let at = At { origin: &origin, site: site.as_ref() };
        Ok(changed(call, &call.app.auth.remove_totp(call.user()?, password, second, at).await?))
    })
}

fn new_codes<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let (password, second) = proof(&fields)?;
        let (origin, site) = (call.origin(), site(call.app, call.req));
        let at = At { origin: &origin, site: site.as_ref() };
        Ok(changed(call, &call.app.auth.new_recovery_codes(call.user()?, password, second, at).await?))
    })
}

impl From<FactorError> for ApiError {
    fn from(e: FactorError) -> Self {
        let field = match e {
            FactorError::Password => "current_password",
            FactorError::NoCode | FactorError::Code => "code",
            FactorError::Expired => "token",
            FactorError::Passkey(PasskeyError::Name) => "name",
            FactorError::Passkey(PasskeyError::NoSuch) => return Self::NotFound,
            FactorError::On | FactorError::Off | FactorError::Passkey(_) => return Self::NonField(e.to_string()),
            FactorError::Throttled(seconds) => return Self::Throttled(seconds),
            FactorError::Store(e) => return e.into(),
        };
        Self::Fields(FieldErrors::one(field, e))
    }
}
