//! `password/`: a new password for whoever has forgotten the old one, for programs and as pages.

use rocket::data::Data;
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::route::BoxFuture as Answer;
use serde_json::json;

use super::api::{Access, Call, Endpoint, Running};
use super::cards::{self, Card, Field, new_password_field, with_token};
use super::error::{ApiError, FieldErrors};
use super::reply::Reply;
use super::{App, csrf, guards, html, pages, words};
use crate::auth::{ForgotError, ResetError};

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["password", "forgot"],
        name: "Forgotten Password",
        access: Access::Open,
        methods: &[(Method::Post, forgot)],
        allow: "POST, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["password", "reset"],
        name: "Password Reset",
        access: Access::Open,
        methods: &[(Method::Post, reset)],
        allow: "POST, OPTIONS",
        suffix: true,
        form: false,
    },
];

/// The same for everybody.
const SENT: &str = "If there is such an account, a link is on its way to its address.";

fn forgot<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let who = errors.take("user", fields.filled("user"));
        errors.check()?;
        let lang = words::of(call.req).lang;
        call.app.auth.forgot_password(who.unwrap_or_default(), lang, &call.origin()).await?;
        Ok(call.reply(Status::Accepted, &json!({"detail": SENT})))
    })
}

/// Signs nobody in: what else an account asks for is asked then.
fn reset<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let token = errors.take("token", fields.text("token"));
        let password = errors.take("new_password", fields.text("new_password"));
        errors.check()?;
        let (token, password) = (token.unwrap_or_default(), password.unwrap_or_default());
        call.app.auth.reset_password(token, password, words::of(call.req).lang).await?;
        Ok(Reply::empty(Status::NoContent))
    })
}

impl From<ForgotError> for ApiError {
    fn from(e: ForgotError) -> Self {
        match e {
            ForgotError::NoMail => Self::NoMail,
            ForgotError::Throttled(seconds) => Self::Throttled(seconds),
            ForgotError::Store(e) => e.into(),
        }
    }
}

impl From<ResetError> for ApiError {
    fn from(e: ResetError) -> Self {
        match e {
            ResetError::Link => Self::Fields(FieldErrors::one("token", e)),
            ResetError::Weak(e) => Self::Fields(FieldErrors::one("new_password", e)),
            ResetError::Store(e) => e.into(),
        }
    }
}

/// `/password/`: asks whose it is, and sends the link.
pub fn ask<'r>(req: &'r Request<'_>, data: Data<'r>) -> Answer<'r> {
    Box::pin(async move { cards::answered(req, asked(super::app(req), req, data).await) })
}

async fn asked(app: &App, req: &Request<'_>, data: Data<'_>) -> Result<Reply, ApiError> {
    let words = words::of(req);
    let form = |status, who: &str, errors: &[String]| {
        with_token(app, req, status, |token| {
            let field = Field {
                name: "username",
                label: words.name_or_email,
                value: who,
                hint: "",
                attributes: "type=\"text\" autocomplete=\"username\" autocapitalize=\"none\" autocorrect=\"off\" \
                             spellcheck=\"false\" maxlength=\"254\" required",
            };
            let card = Card::new(words, words.forgot).errors(errors).text(words.forgot_text, "");
            card.form(token, &[field], words.send_link).link(&app.path("login/"), words.sign_in)
        })
    };
    if !app.auth.sends_mail() {
        let card = Card::new(words, words.forgot).text(words.no_mail, "").link(&app.path("login/"), words.sign_in);
        return Ok(card.reply(app, Status::Forbidden));
    }
    match req.method() {
        Method::Get | Method::Head => return Ok(form(Status::Ok, "", &[])),
        Method::Post => {}
        method => return Err(ApiError::MethodNotAllowed(method.to_string())),
    }
    let fields = pages::read_form(app, req, data).await?;
    if !csrf::is_repeated(req, fields.get("csrfmiddlewaretoken")) {
        return Ok(html::forbidden());
    }
    let who = fields.get("username").unwrap_or_default();
    match app.auth.forgot_password(who, words.lang, &guards::origin(app, req)).await {
        Ok(()) => {
            let card = Card::new(words, words.forgot).text(words.link_sent, "");
            Ok(card.link(&app.path("login/"), words.sign_in).reply(app, Status::Ok))
        }
        Err(ForgotError::Throttled(seconds)) => {
            let error = words.too_many_links.replace('#', &seconds.div_ceil(60).to_string());
            Ok(form(Status::TooManyRequests, who, &[error]).header("Retry-After", seconds.to_string()))
        }
        Err(e) => Ok(cards::trouble(req, &e.into(), |status, errors| form(status, who, &errors))),
    }
}

/// `/password/TOKEN/`: sets a new one.
pub fn choose<'r>(req: &'r Request<'_>, data: Data<'r>) -> Answer<'r> {
    Box::pin(async move { cards::answered(req, chosen(super::app(req), req, data).await) })
}

async fn chosen(app: &App, req: &Request<'_>, data: Data<'_>) -> Result<Reply, ApiError> {
    let (words, token) = (words::of(req), cards::token(req, "/password/"));
    let unusable = || {
        let card = Card::new(words, words.forgot).text(words.link_unusable, "");
        card.link(&app.path("password/"), words.send_link).reply(app, Status::Forbidden)
    };
    let form = |status, name: &str, errors: &[String]| {
        with_token(app, req, status, |csrf| {
            // For password managers, which keep a name with a password.
            let name = Field {
                name: "username",
                label: words.username,
                value: name,
                hint: "",
                attributes: "type=\"text\" autocomplete=\"username\" readonly",
            };
            let fields = [name, new_password_field(words)];
            Card::new(words, words.choose_password).errors(errors).form(csrf, &fields, words.set_password)
        })
    };
    match req.method() {
        Method::Get | Method::Head => {
            let user = app.auth.reset_link(token).await?;
            return Ok(user.map_or_else(unusable, |user| form(Status::Ok, &user.username, &[])));
        }
        Method::Post => {}
        method => return Err(ApiError::MethodNotAllowed(method.to_string())),
    }
    let fields = pages::read_form(app, req, data).await?;
    if !csrf::is_repeated(req, fields.get("csrfmiddlewaretoken")) {
        return Ok(html::forbidden());
    }
    let (name, password) = (fields.get("username").unwrap_or_default(), fields.get("password").unwrap_or_default());
    match app.auth.reset_password(token, password, words.lang).await {
        Ok(user) => {
            let card = Card::new(words, words.choose_password).text(words.password_set, &user.username);
            Ok(card.link(&app.path("login/"), words.sign_in).reply(app, Status::Ok))
        }
        Err(ResetError::Link) => Ok(unusable()),
        Err(ResetError::Weak(e)) => Ok(form(Status::BadRequest, name, &[e.to_string()])),
        Err(e) => Ok(cards::trouble(req, &e.into(), |status, errors| form(status, name, &errors))),
    }
}
