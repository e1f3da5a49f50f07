//! `signup/`: making an account for oneself, for programs and as a page.

use rocket::data::Data;
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::route::BoxFuture as Answer;
use serde_json::json;

use super::api::{Access, Call, Endpoint, Running};
use super::cards::{self, Card, Field, new_password_field, username_field, with_token};
use super::error::{ApiError, FieldErrors};
use super::fields::{Fields, Given};
use super::html;
use super::json::SignUpJson;
use super::query::Query;
use super::reply::Reply;
use super::session::with_session;
use super::{App, cookies, csrf, guards, pages, session, words};
use crate::auth::{Application, SignUp, SignUpError, SignUpMode};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: &["signup"],
    name: "Sign-up",
    access: Access::Open,
    methods: &[(Method::Get, show), (Method::Post, sign_up)],
    allow: "GET, POST, HEAD, OPTIONS",
    suffix: true,
    form: false,
}];

/// Whether an account can be made here, with the invite if one is named.
async fn is_open(app: &App, invite: Option<&str>) -> Result<bool, ApiError> {
    Ok(match (app.auth.sign_up_mode(), invite) {
        (SignUpMode::Closed, _) | (SignUpMode::Invite, None) => false,
        (SignUpMode::Open, None) => true,
        (_, Some(token)) => app.auth.open_invite(token).await?.is_some(),
    })
}

fn show<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let open = is_open(call.app, call.query.get("invite")).await?;
        let auth = &call.app.auth;
        let signup = auth.sign_up_mode().as_str();
        Ok(call.ok(&SignUpJson { signup, open, email_required: auth.sends_mail() }))
    })
}

pub(super) fn optional<'f>(fields: &'f Fields, name: &str) -> Result<Option<&'f str>, Vec<String>> {
    match fields.get(name) {
        None | Some(Given::Null) => Ok(None),
        Some(_) => fields.text(name).map(Some),
    }
}

fn sign_up<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        if call.app.auth.sign_up_mode() == SignUpMode::Closed {
            return Err(SignUpError::Closed.into());
        }
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let username = errors.take("username", fields.text("username"));
        let password = errors.take("password", fields.text("password"));
        let email = errors.take("email", optional(&fields, "email"));
        let invite = errors.take("invite", optional(&fields, "invite"));
        errors.check()?;
        let application = Application {
            username: username.unwrap_or_default(),
            password: password.unwrap_or_default(),
            email: email.flatten().unwrap_or_default(),
            invite: invite.flatten(),
        };
        let lang = words::of(call.req).lang;
        let signed_in = match call.app.auth.sign_up(application, lang, &call.origin()).await? {
            SignUp::Made(signed_in) => signed_in,
            SignUp::Sent => {
                let detail = "A link is on its way to this address. With it the account is made.";
                return Ok(call.reply(Status::Accepted, &json!({"detail": detail})));
            }
        };
        if let Some(old) = cookies::value(call.req, "sessionid") {
            call.app.auth.sign_out(&old).await?;
        }
        let made = call.reply(Status::Created, &session::describe(call, &signed_in.user).await?);
        Ok(with_session(call.app, made, &signed_in.token))
    })
}

impl From<SignUpError> for ApiError {
    fn from(e: SignUpError) -> Self {
        match e {
            SignUpError::Closed => Self::SignUpClosed,
            SignUpError::Invite => Self::Fields(FieldErrors::one("invite", e)),
            SignUpError::Link => Self::Fields(FieldErrors::one("token", e)),
            SignUpError::Fields(wrong) => {
                let mut errors = FieldErrors::default();
                wrong.into_iter().for_each(|(field, error)| errors.add(field, [error]));
                Self::Fields(errors)
            }
            SignUpError::Throttled(seconds) => Self::Throttled(seconds),
            SignUpError::Store(e) => e.into(),
        }
    }
}

/// `/signup/` and `/signup/TOKEN/`.
pub fn page<'r>(req: &'r Request<'_>, data: Data<'r>) -> Answer<'r> {
    Box::pin(async move { cards::answered(req, answer(super::app(req), req, data).await) })
}

async fn answer(app: &App, req: &Request<'_>, data: Data<'_>) -> Result<Reply, ApiError> {
    let invite = Some(cards::token(req, "/signup/")).filter(|token| !token.is_empty());
    match req.method() {
        Method::Get | Method::Head if is_open(app, invite).await? => Ok(form(app, req, Status::Ok, &Tried::default())),
        Method::Get | Method::Head => Ok(closed(app, req)),
        Method::Post => {
            let fields = pages::read_form(app, req, data).await?;
            if !csrf::is_repeated(req, fields.get("csrfmiddlewaretoken")) {
                return Ok(html::forbidden());
            }
            make(app, req, invite, &fields).await
        }
        method => Err(ApiError::MethodNotAllowed(method.to_string())),
    }
}

/// What somebody typed, and what was wrong with it.
#[derive(Default)]
struct Tried<'a> {
    username: &'a str,
    email: &'a str,
    errors: Vec<String>,
}

async fn make(app: &App, req: &Request<'_>, invite: Option<&str>, fields: &Query) -> Result<Reply, ApiError> {
    let get = |name| fields.get(name).unwrap_or_default();
    let application = Application { username: get("username"), password: get("password"), email: get("email"), invite };
    let again = |status, errors| {
        form(app, req, status, &Tried { username: application.username, email: application.email, errors })
    };
    let words = words::of(req);
    let signed_in = match app.auth.sign_up(application, words.lang, &guards::origin(app, req)).await {
        Ok(SignUp::Made(signed_in)) => signed_in,
        Ok(SignUp::Sent) => {
            let card = Card::new(words, words.sign_up).text(words.sign_up_sent, application.email);
            return Ok(card.reply(app, Status::Ok));
        }
        Err(SignUpError::Closed | SignUpError::Invite) => return Ok(closed(app, req)),
        Err(SignUpError::Fields(wrong)) => {
            let errors = wrong.into_iter().map(|(_, error)| error).collect();
            return Ok(again(Status::BadRequest, errors));
        }
        Err(SignUpError::Throttled(seconds)) => {
            let error = words.too_many_accounts.replace('#', &seconds.div_ceil(60).to_string());
            return Ok(again(Status::TooManyRequests, vec![error]).header("Retry-After", seconds.to_string()));
        }
        Err(e) => return Ok(cards::trouble(req, &e.into(), again)),
    };
    if let Some(old) = cookies::value(req, "sessionid") {
        app.auth.sign_out(&old).await?;
    }
    Ok(with_session(app, Reply::redirect(Status::SeeOther, &app.base), &signed_in.token))
}

fn form(app: &App, req: &Request<'_>, status: Status, tried: &Tried<'_>) -> Reply {
    let words = words::of(req);
    let email = if app.auth.sends_mail() {
        Field {
            name: "email",
            label: words.email,
            value: tried.email,
            hint: "",
            attributes: "type=\"email\" autocomplete=\"email\" maxlength=\"254\" required",
        }
    } else {
        Field {
            name: "email",
            label: words.email_optional,
            value: tried.email,
            hint: "",
            attributes: "type=\"email\" autocomplete=\"email\" maxlength=\"254\"",
        }
    };
    with_token(app, req, status, |token| {
        let fields = [username_field(words, tried.username), email, new_password_field(words)];
        let card = Card::new(words, words.sign_up).errors(&tried.errors);
        card.form(token, &fields, words.sign_up).link(&app.path("login/"), words.have_an_account)
    })
}

/// No account can be made here, or not with this link.
pub(super) fn closed(app: &App, req: &Request<'_>) -> Reply {
    let words = words::of(req);
    let text =
        if app.auth.sign_up_mode() == SignUpMode::Closed { words.sign_up_closed } else { words.sign_up_by_invite };
    let main = format!(
        "<h1>{}</h1><p>{}</p><p><a href=\"{}\">{}</a></p>",
        html::escape(words.sign_up),
        html::escape(text),
        app.path("login/"),
        html::escape(words.sign_in)
    );
    Reply::html(Status::Forbidden, html::page_in(words, app, words.sign_up, &main))
        .header("Cache-Control", pages::NEVER_CACHED)
}
