//! The second step of signing in: `session/second-step/` for programs, and the page that `/login/` shows after the password.

use rocket::data::Data;
use rocket::http::{Method, Status};
use rocket::request::Request;

use super::api::{Access, Call, Endpoint, Running};
use super::error::{ApiError, FieldErrors};
use super::html;
use super::passkeys::site;
use super::query::Query;
use super::reply::Reply;
use super::second_factor::second;
use super::session::{describe, with_session};
use super::{App, cookies, csrf, guards, pages, words};
use crate::auth::{Assertion, At, FactorError, PasskeyError, Second, SecondStep, SignedIn, Way};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: &["session", "second-step"],
    name: "Second Step",
    access: Access::Open,
    methods: &[(Method::Post, step)],
    allow: "POST, OPTIONS",
    suffix: true,
    form: false,
}];

fn step<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let token = errors.take("token", fields.text("token"));
        let shown = second(&fields, &mut errors);
        errors.check()?;
        let shown = shown.ok_or(FactorError::NoCode)?;
        let (origin, site) = (call.origin(), site(call.app, call.req));
        let at = At { origin: &origin, site: site.as_ref() };
        let done = call.app.auth.second_step(token.unwrap_or_default(), shown, at).await?;
        signed_in(call, &done).await
    })
}

/// Somebody has signed in: the session from before ends, for its token may be known to somebody else.
pub async fn signed_in(call: &Call<'_>, done: &SignedIn) -> Result<Reply, ApiError> {
    if let Some(old) = cookies::value(call.req, "sessionid") {
        call.app.auth.sign_out(&old).await?;
    }
    Ok(with_session(call.app, call.ok(&describe(call, &done.user).await?), &done.token))
}

/// What a form of `/login/` shows besides a name and a password.
pub enum Posted<'f> {
    /// The second step, behind this token.
    Step(&'f str, Second<'f>),
    /// A passkey alone.
    Passkey(Assertion<'f>),
}

/// Reads it; none is a form with a name and a password.
pub fn posted(form: &Query) -> Option<Posted<'_>> {
    let given = |name| form.get(name).filter(|text| !text.is_empty());
    let passkey = given("credential_id").map(|credential_id| Assertion {
        credential_id,
        client_data: form.get("client_data").unwrap_or_default(),
        authenticator_data: form.get("authenticator_data").unwrap_or_default(),
        signature: form.get("signature").unwrap_or_default(),
        user_handle: form.get("user_handle"),
    });
    match (given("token"), passkey) {
        (Some(token), Some(passkey)) => Some(Posted::Step(token, Second::Passkey(passkey))),
        (Some(token), None) => {
            let code = given("recovery").or_else(|| given("code")).unwrap_or_default();
            Some(Posted::Step(token, Second::Code(code)))
        }
        (None, Some(passkey)) => Some(Posted::Passkey(passkey)),
        (None, None) => None,
    }
}

/// Does it. A failure is a page that says so.
pub async fn answer(app: &App, req: &Request<'_>, posted: &Posted<'_>) -> Result<Result<SignedIn, Reply>, ApiError> {
    let (origin, site) = (guards::origin(app, req), site(app, req));
    let at = At { origin: &origin, site: site.as_ref() };
    let (done, token) = match posted {
        Posted::Step(token, second) => (app.auth.second_step(token, *second, at).await, Some(*token)),
        Posted::Passkey(passkey) => (app.auth.sign_in_with_passkey(passkey, at).await, None),
    };
    let e = match done {
        Ok(done) => return Ok(Ok(done)),
        Err(e) => e,
    };
    let words = words::of(req);
    let (text, wait) = match &e {
        FactorError::Throttled(seconds) => (words.too_many_codes.replace('#', &seconds.to_string()), Some(*seconds)),
        FactorError::Expired => (words.too_late.to_owned(), None),
        FactorError::Passkey(PasskeyError::NotHere) => (words.no_passkeys_here.to_owned(), None),
        FactorError::Passkey(_) => (words.passkey_refused.to_owned(), None),
        FactorError::Store(_) => (words.trouble.to_owned(), None),
        _ => (words.wrong_code.to_owned(), None),
    };
    let e = ApiError::from(e);
    let status = if wait.is_some() || e.status().code >= 500 { e.status() } else { Status::Ok };
    let ways = match token {
        // What went wrong before may go wrong here too; then the page for that is enough.
        Some(token) => app.auth.ways_of(token).await?.map(|ways| SecondStep { token: token.to_owned(), ways }),
        None => None,
    };
    let page = match ways {
        Some(step) => page(app, req, status, &step, Some(&text)),
        // From the beginning.
        None => pages::login_form(app, req, status, "", Some(&text)),
    };
    let page = e.headers().into_iter().fold(page, |page, (name, value)| page.header(name, value));
    Ok(Err(page.logged(req, &e)))
}

/// The page of the second step. It works without script, but for passkeys.
pub fn page(app: &App, req: &Request<'_>, status: Status, step: &SecondStep, error: Option<&str>) -> Reply {
    let words = words::of(req);
    let token = csrf::cookie_token(req).unwrap_or_else(csrf::new_token);
    let has = |way| step.ways.contains(&way);
    let error = error.map_or_else(String::new, |error| {
        let (heading, error) = (html::escape(words.error), html::escape(error));
        format!("<div class=\"alert\" role=\"alert\"><h2>{heading}</h2><p>{error}</p></div>")
    });
    let shown = |is: bool| if is { "" } else { " hidden" };
    let main = include_str!("templates/second-step.html")
        .replace("{{code-label}}", &html::escape(words.code))
        .replace("{{code-hint}}", &html::escape(words.code_hint))
        .replace("{{no-code}}", shown(has(Way::Totp)))
        .replace("{{recovery-title}}", &html::escape(words.use_recovery_code))
        .replace("{{recovery-label}}", &html::escape(words.recovery_code))
        .replace("{{no-recovery}}", shown(has(Way::Recovery)))
        .replace("{{recovery-open}}", if has(Way::Totp) { "" } else { " open" })
        .replace("{{go-on}}", &html::escape(words.go_on))
        .replace("{{passkey}}", &passkey_button(app, req, has(Way::Passkey)))
        .replace("{{back}}", &html::escape(words.start_again))
        .replace("{{unreachable}}", &html::escape(words.unreachable))
        .replace("{{token}}", &html::escape(&step.token))
        .replace("{{csrf}}", &html::escape(&token))
        .replace("{{error}}", &error);
    let title = words.second_step;
    Reply::html(status, html::card(words, app, title, title, &main))
        .header("Cache-Control", pages::NEVER_CACHED)
        .header("Vary", "Cookie")
        .cookie(app.baker.csrf(&token, app.clock.now()))
}

/// The button for a passkey, where there can be one: hidden until the page's script finds that the browser can.
pub fn passkey_button(app: &App, req: &Request<'_>, wanted: bool) -> String {
    if !wanted || site(app, req).is_none() {
        return String::new();
    }
    let words = words::of(req);
    format!(
        "<button type=\"button\" class=\"passkey\" hidden data-challenge=\"{}\" data-failed=\"{}\">{}</button>",
        app.path("api/v1/session/passkey/"),
        html::escape(words.no_passkey_shown),
        html::escape(words.use_passkey)
    )
}
