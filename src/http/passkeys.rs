//! `account/passkey/`: making and removing passkeys. `session/passkey/`: asking for one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rocket::data::Data;
use rocket::http::{Method, Status};
use rocket::request::Request;
use serde_json::{Value, json};

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::fields::Fields;
use super::query::integer;
use super::second_factor::{changed, optional, proof};
use super::second_step::signed_in;
use super::{App, hosts};
use crate::auth::{ALGORITHMS, Assertion, At, Attestation, Site, ToMake, ToShow};

/// How long a browser waits for its person, in milliseconds: as long as a challenge is good.
const PATIENCE_MS: u32 = 300_000;

const fn endpoint(
    path: &'static [&'static str],
    name: &'static str,
    access: Access,
    post: &'static [(Method, super::api::Run)],
) -> Endpoint {
    Endpoint { path, name, access, methods: post, allow: "POST, OPTIONS", suffix: true, form: false }
}

pub const ENDPOINTS: &[Endpoint] = &[
    endpoint(&["account", "passkey"], "Passkey List", Access::Session, &[(Method::Post, add)]),
    endpoint(&["account", "passkey", "start"], "Passkey Start", Access::Session, &[(Method::Post, start)]),
    endpoint(&["account", "passkey", "<>", "remove"], "Passkey Remove", Access::Session, &[(Method::Post, remove)]),
    endpoint(&["session", "passkey"], "Passkey Challenge", Access::Open, &[(Method::Post, ask)]),
    endpoint(&["session", "passkey", "sign-in"], "Passkey Sign-in", Access::Open, &[(Method::Post, sign_in)]),
];

/// This server as browsers know it for passkeys: `PUBLIC_URL`, else the name by which it was called. They want a name, and
/// https or localhost.
pub fn site(app: &App, req: &Request<'_>) -> Option<Site> {
    let (scheme, host) = match app.settings.origin() {
        Some(origin) if origin.https => ("https", origin.host),
        Some(origin) => ("http", origin.host),
        None => {
            let host = req.headers().get_one("Host")?.to_ascii_lowercase();
            (if hosts::without_port(&host) == "localhost" { "http" } else { "https" }, host)
        }
    };
    let name = hosts::without_port(&host);
    if hosts::is_literal(name) || (scheme == "http" && name != "localhost") {
        return None;
    }
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let origin = format!("{scheme}://{}", host.strip_suffix(usual).unwrap_or(&host));
    Some(Site { rp_id: name.to_owned(), origin })
}

/// What shows a passkey, all of it or nothing.
const PARTS: [&str; 4] = ["credential_id", "client_data", "authenticator_data", "signature"];

/// The passkey that a body shows; none if it shows none.
pub fn assertion<'f>(fields: &'f Fields, errors: &mut FieldErrors) -> Option<Assertion<'f>> {
    PARTS.iter().find_map(|part| fields.get(part))?;
    let [credential_id, client_data, authenticator_data, signature] =
        PARTS.map(|part| errors.take(part, base64url(fields, part)).unwrap_or_default());
    let user_handle = errors.take("user_handle", optional(fields, "user_handle")).flatten();
    Some(Assertion { credential_id, client_data, authenticator_data, signature, user_handle })
}

fn base64url<'f>(fields: &'f Fields, name: &str) -> Result<&'f str, Vec<String>> {
    let text = fields.text(name)?;
    let digits = text.trim_end_matches('=');
    let is_one = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_one { Ok(text) } else { Err(vec!["Enter base64url.".to_owned()]) }
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn descriptors(ids: &[Vec<u8>]) -> Vec<Value> {
    ids.iter().map(|id| json!({"type": "public-key", "id": text(id)})).collect()
}

/// `PublicKeyCredentialCreationOptionsJSON` of the standard.
fn to_make(made: &ToMake, site: &Site, username: &str) -> Value {
    json!({"publicKey": {
        "rp": {"id": site.rp_id, "name": "chatd"},
        "user": {"id": text(&made.user_handle), "name": username, "displayName": username},
        "challenge": made.challenge,
        "pubKeyCredParams": ALGORITHMS.map(|alg| json!({"type": "public-key", "alg": alg})),
        "timeout": PATIENCE_MS,
        "excludeCredentials": descriptors(&made.known),
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "attestation": "none",
    }})
}

/// `PublicKeyCredentialRequestOptionsJSON` of the standard.
fn to_show(asked: &ToShow, site: &Site) -> Value {
    json!({"publicKey": {
        "challenge": asked.challenge,
        "timeout": PATIENCE_MS,
        "rpId": site.rp_id,
        "allowCredentials": descriptors(&asked.wanted),
        "userVerification": "required",
    }})
}

fn not_here() -> ApiError {
    ApiError::NonField(crate::auth::PasskeyError::NotHere.to_string())
}

fn start<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let (password, second) = proof(&fields)?;
        let (origin, site) = (call.origin(), site(call.app, call.req).ok_or_else(not_here)?);
        let at = At { origin: &origin, site: Some(&site) };
        let user = call.user()?;
        let made = call.app.auth.start_passkey(user, password, second, at).await?;
        Ok(call.ok(&to_make(&made, &site, &user.username)))
    })
}

fn add<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let name = errors.take("name", fields.text("name"));
        let client_data = errors.take("client_data", fields.text("client_data"));
        let attestation_object = errors.take("attestation_object", fields.text("attestation_object"));
        errors.check()?;
        let made = Attestation {
            client_data: client_data.unwrap_or_default(),
            attestation_object: attestation_object.unwrap_or_default(),
        };
        let (origin, site) = (call.origin(), site(call.app, call.req));
        let at = At { origin: &origin, site: site.as_ref() };
        let done = call.app.auth.add_passkey(call.user()?, name.unwrap_or_default(), &made, at).await?;
        Ok(changed(call, &done))
    })
}

fn remove<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let id = integer(call.arg()).ok_or(ApiError::NotFound)?;
        let fields = call.fields(data).await?;
        let (password, second) = proof(&fields)?;
        let (origin, site) = (call.origin(), site(call.app, call.req));
        let at = At { origin: &origin, site: site.as_ref() };
        let done = call.app.auth.remove_passkey(call.user()?, id, password, second, at).await?;
        Ok(changed(call, &done))
    })
}

fn ask<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let token = errors.take("token", optional(&fields, "token")).flatten();
        errors.check()?;
        let site = site(call.app, call.req).ok_or_else(not_here)?;
        let asked = call.app.auth.ask_for_passkey(token).await?;
        Ok(call.reply(Status::Ok, &to_show(&asked, &site)))
    })
}

fn sign_in<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let shown = assertion(&fields, &mut errors);
        if shown.is_none() {
            errors.take("credential_id", fields.text("credential_id"));
        }
        errors.check()?;
        let (origin, site) = (call.origin(), site(call.app, call.req));
        let at = At { origin: &origin, site: site.as_ref() };
        let shown = shown.ok_or(ApiError::BadForm)?;
        signed_in(call, &call.app.auth.sign_in_with_passkey(&shown, at).await?).await
    })
}
