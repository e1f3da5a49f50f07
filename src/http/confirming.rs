//! The link that makes an account, for programs and as a page.

use rocket::data::Data;
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::route::BoxFuture as Answer;

use super::api::{Access, Call, Endpoint, Running};
use super::cards::{self, Card, username_field, with_token};
use super::error::{ApiError, FieldErrors};
use super::reply::Reply;
use super::session::with_session;
use super::signup::{closed, optional};
use super::{App, cookies, csrf, guards, html, pages, session, words};
use crate::auth::{SignUpError, SignedIn};

pub const ENDPOINTS: &[Endpoint] = &[Endpoint {
    path: &["signup", "confirm"],
    name: "Sign-up Confirmation",
    access: Access::Open,
    methods: &[(Method::Post, confirm)],
    allow: "POST, OPTIONS",
    suffix: true,
    form: false,
}];

fn confirm<'a, 'r>(call: &'a Call<'r>, data: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let fields = call.fields(data).await?;
        let mut errors = FieldErrors::default();
        let token = errors.take("token", fields.text("token"));
        let name = errors.take("username", optional(&fields, "username"));
        errors.check()?;
        let (token, name) = (token.unwrap_or_default(), name.flatten());
        let made = call.app.auth.confirm_sign_up(token, name, &call.origin()).await?;
        end_old_session(call.app, call.req).await?;
        let reply = call.reply(Status::Created, &session::describe(call, &made.user).await?);
        Ok(with_session(call.app, reply, &made.token))
    })
}

/// Its token may be known to somebody else.
async fn end_old_session(app: &App, req: &Request<'_>) -> Result<(), ApiError> {
    if let Some(old) = cookies::value(req, "sessionid") {
        app.auth.sign_out(&old).await?;
    }
    Ok(())
}

/// `/signup/confirm/TOKEN/`: looking at it changes nothing, as programs look at links in mails.
pub fn page<'r>(req: &'r Request<'_>, data: Data<'r>) -> Answer<'r> {
    Box::pin(async move { cards::answered(req, answer(super::app(req), req, data).await) })
}

async fn answer(app: &App, req: &Request<'_>, data: Data<'_>) -> Result<Reply, ApiError> {
    let (words, token) = (words::of(req), cards::token(req, "/confirm/"));
    let unusable = || {
        let card = Card::new(words, words.sign_up).text(words.link_unusable, "");
        card.link(&app.path("login/"), words.sign_in).reply(app, Status::Forbidden)
    };
    let form = |status, name: &str, errors: &[String]| {
        with_token(app, req, status, |csrf| {
            let card = Card::new(words, words.sign_up).errors(errors);
            card.form(csrf, &[username_field(words, name)], words.sign_up)
        })
    };
    match req.method() {
        Method::Get | Method::Head => {
            let name = app.auth.sign_up_link(token).await?;
            return Ok(name.map_or_else(unusable, |name| form(Status::Ok, &name, &[])));
        }
        Method::Post => {}
        method => return Err(ApiError::MethodNotAllowed(method.to_string())),
    }
    let fields = pages::read_form(app, req, data).await?;
    if !csrf::is_repeated(req, fields.get("csrfmiddlewaretoken")) {
        return Ok(html::forbidden());
    }
    let name = fields.get("username").unwrap_or_default();
    let SignedIn { token, .. } = match app.auth.confirm_sign_up(token, Some(name), &guards::origin(app, req)).await {
        Ok(made) => made,
        Err(SignUpError::Link) => return Ok(unusable()),
        Err(SignUpError::Closed | SignUpError::Invite) => return Ok(closed(app, req)),
        Err(SignUpError::Fields(wrong)) => {
            let errors: Vec<_> = wrong.into_iter().map(|(_, error)| error).collect();
            return Ok(form(Status::BadRequest, name, &errors));
        }
        Err(e) => return Ok(cards::trouble(req, &e.into(), |status, errors| form(status, name, &errors))),
    };
    end_old_session(app, req).await?;
    Ok(with_session(app, Reply::redirect(Status::SeeOther, &app.base), &token))
}
