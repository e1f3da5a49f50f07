//! Another address for an account: `account/email/`, and the link that confirms it, for programs and as a page.

use rocket::data::Data;
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::route::BoxFuture as Answer;
use serde_json::json;

use super::api::{Access, Call, Endpoint, Running};
use super::cards::{self, Card, with_token};
use super::error::{ApiError, FieldErrors};
use super::reply::Reply;
use super::session::with_session;
use super::{App, cookies, csrf, guards, html, pages, words};
use crate::auth::{ChangeEmailError, EmailChange};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["account", "email"],
        name: "Account Email",
        access: Access::Session,
        methods: &[(Method::Post, change)],
        allow: "POST, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["email", "confirm"],
        name: "Email Confirmation",
        access: Access::Open,
        methods: &[(Method::Post, confirm)],
        allow: "POST, OPTIONS",
        suffix: true,
        form: false,
    },
];

fn change<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let current = errors.take("current_password", fields.text("current_password"));
        let email = errors.take("email", fields.text("email"));
        errors.check()?;
        let (current, email) = (current.unwrap_or_default(), email.unwrap_or_default());
        let lang = words::of(call.req).lang;
        match call.app.auth.change_email(call.user()?, current, email, lang, &call.origin()).await? {
            EmailChange::Sent => {
                let detail = "A link is on its way to this address. With it the address becomes yours.";
                Ok(call.reply(Status::Accepted, &json!({"detail": detail})))
            }
            EmailChange::Changed(changed) => {
                Ok(with_session(call.app, Reply::empty(Status::NoContent), &changed.token))
            }
        }
    })
}

fn confirm<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let token = errors.take("token", fields.text("token"));
        errors.check()?;
        let (app, req) = (call.app, call.req);
        match confirmed(app, req, token.unwrap_or_default()).await? {
            Some((_, reply)) => Ok(reply(Reply::empty(Status::NoContent))),
            None => Err(ApiError::Fields(FieldErrors::one("token", "This link cannot be used. Ask for a new one."))),
        }
    })
}

impl From<ChangeEmailError> for ApiError {
    fn from(e: ChangeEmailError) -> Self {
        match e {
            ChangeEmailError::Wrong => Self::Fields(FieldErrors::one("current_password", e)),
            ChangeEmailError::Invalid => Self::Fields(FieldErrors::one("email", e)),
            ChangeEmailError::Throttled(seconds) => Self::Throttled(seconds),
            ChangeEmailError::Store(e) => e.into(),
        }
    }
}

/// What an answer gets after an address was confirmed: a new session, if there was one.
type Complete<'a> = Box<dyn FnOnce(Reply) -> Reply + Send + 'a>;

async fn confirmed<'a>(
    app: &'a App,
    req: &Request<'_>,
    token: &str,
) -> Result<Option<(String, Complete<'a>)>, ApiError> {
    let asking = match cookies::value(req, "sessionid") {
        Some(session) => app.auth.session(&session).await?.map(|(_, user)| user),
        None => None,
    };
    let (lang, origin) = (words::of(req).lang, guards::origin(app, req));
    let done = app.auth.confirm_email(token, asking.as_ref(), lang, &origin).await?;
    Ok(done.map(|done| {
        let complete: Complete<'a> = match done.token {
            Some(token) => Box::new(move |reply| with_session(app, reply, &token)),
            None => Box::new(|reply| reply),
        };
        (done.email, complete)
    }))
}

/// `/email/TOKEN/`: looking at it changes nothing, as programs look at links in mails.
pub fn page<'r>(req: &'r Request<'_>, data: Data<'r>) -> Answer<'r> {
    Box::pin(async move { cards::answered(req, answer(super::app(req), req, data).await) })
}

async fn answer(app: &App, req: &Request<'_>, data: Data<'_>) -> Result<Reply, ApiError> {
    let (words, token) = (words::of(req), cards::token(req, "/email/"));
    let unusable = || {
        let card = Card::new(words, words.confirm_email).text(words.link_unusable, "");
        card.link(&app.base, words.go_on).reply(app, Status::Forbidden)
    };
    let form = |status, email: &str, errors: &[String]| {
        with_token(app, req, status, |csrf| {
            let card = Card::new(words, words.confirm_email).errors(errors);
            card.text(words.confirm_email_text, email).form(csrf, &[], words.confirm)
        })
    };
    match req.method() {
        Method::Get | Method::Head => {
            let email = app.auth.email_link(token).await?;
            return Ok(email.map_or_else(unusable, |email| form(Status::Ok, &email, &[])));
        }
        Method::Post => {}
        method => return Err(ApiError::MethodNotAllowed(method.to_string())),
    }
    let fields = pages::read_form(app, req, data).await?;
    if !csrf::is_repeated(req, fields.get("csrfmiddlewaretoken")) {
        return Ok(html::forbidden());
    }
    match confirmed(app, req, token).await {
        Ok(None) => Ok(unusable()),
        Ok(Some((email, complete))) => {
            let card = Card::new(words, words.confirm_email).text(words.email_confirmed, &email);
            Ok(complete(card.link(&app.base, words.go_on).reply(app, Status::Ok)))
        }
        Err(e) => {
            let email = app.auth.email_link(token).await.ok().flatten().unwrap_or_default();
            Ok(cards::trouble(req, &e, |status, errors| form(status, &email, &errors)))
        }
    }
}
