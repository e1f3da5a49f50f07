//! The one-time link for the first superuser: printed by `serve` on an empty embedded database, good until it has
//! been used or the process ends.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rocket::data::Data;
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::route::{BoxFuture as Answer, Outcome};
use subtle::ConstantTimeEq as _;

use super::error::ApiError;
use super::query::Query;
use super::reply::Reply;
use super::session::with_session;
use super::{App, csrf, guards, html};
use crate::auth::NewAccountError;

/// The open link, if there is one. Held while an account is made, so that two at once make one.
#[derive(Default)]
pub struct Setup {
    token: Mutex<Option<String>>,
    busy: tokio::sync::Mutex<()>,
}

impl Setup {
    /// Opens a new link; returns its path below the base.
    pub fn open(&self) -> String {
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>());
        let path = format!("setup/{token}/");
        *self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(token);
        path
    }

    fn is_open(&self, given: &str) -> bool {
        let token = self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        token.as_ref().is_some_and(|token| token.as_bytes().ct_eq(given.as_bytes()).into())
    }

    fn close(&self) {
        *self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }
}

/// `/setup/TOKEN/`.
pub fn handle<'r>(req: &'r Request<'_>, data: Data<'r>) -> Answer<'r> {
    Box::pin(async move {
        let app = super::app(req);
        let reply = match answer(app, req, data).await {
            Ok(reply) => reply,
            Err(e) => guards::error_page(req, &e).logged(req, &e),
        };
        Outcome::Success(reply.into_response())
    })
}

async fn answer(app: &App, req: &Request<'_>, data: Data<'_>) -> Result<Reply, ApiError> {
    let _one_at_a_time = app.setup.busy.lock().await;
    let given = req.uri().path().as_str().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if !app.setup.is_open(given) {
        return Err(ApiError::NotFound);
    }
    match req.method() {
        Method::Get | Method::Head => Ok(form(app, req, Status::Ok, "", &[])),
        Method::Post => {
            let body = super::read_body(data, app.settings.body_limit()).await?;
            let fields = Query::parse_bytes(&body);
            if !csrf::is_repeated(req, fields.get("csrfmiddlewaretoken")) {
                return Ok(html::forbidden());
            }
            make(app, req, &fields).await
        }
        method => Err(ApiError::MethodNotAllowed(method.to_string())),
    }
}

async fn make(app: &App, req: &Request<'_>, fields: &Query) -> Result<Reply, ApiError> {
    let username = fields.get("username").unwrap_or_default();
    let password = fields.get("password").unwrap_or_default();
    if app.chat.store.has_superuser().await? {
        app.setup.close();
        return Err(ApiError::NotFound);
    }
    if fields.get("password2") != Some(password) {
        return Ok(form(app, req, Status::BadRequest, username, &["The two passwords are not the same.".to_owned()]));
    }
    match app.auth.add_account(username, password, "", true, true).await {
        Err(NewAccountError::Store(e)) => Err(e.into()),
        Err(e) => Ok(form(app, req, Status::BadRequest, username, &[e.to_string()])),
        Ok(_) => {
            app.setup.close();
            let signed_in = app.auth.sign_in(username, password, &guards::origin(app, req)).await?;
            Ok(with_session(app, Reply::redirect(Status::SeeOther, &app.base), &signed_in.token))
        }
    }
}

fn form(app: &App, req: &Request<'_>, status: Status, username: &str, errors: &[String]) -> Reply {
    let token = csrf::cookie_token(req).unwrap_or_else(csrf::new_token);
    let errors = errors.iter().map(|e| format!("<p>{}</p>", html::escape(e))).collect::<String>();
    let alert =
        if errors.is_empty() { String::new() } else { format!("<div class=\"alert\" role=\"alert\">{errors}</div>") };
    let main = format!(
        "<h1>Welcome to chatd</h1><p>Make the first account. It may administer this server.</p>{alert}\
         <form method=\"post\"><input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"{token}\">\
         <label for=\"username\">Username</label>\
         <input id=\"username\" name=\"username\" type=\"text\" autocomplete=\"username\" value=\"{}\" required>\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" minlength=\"8\" required>\
         <label for=\"password2\">Password, once more</label>\
         <input id=\"password2\" name=\"password2\" type=\"password\" autocomplete=\"new-password\" minlength=\"8\" required>\
         <button type=\"submit\">Make the account</button></form>",
        html::escape(username)
    );
    let reply = Reply::html(status, html::page(app, "Welcome to chatd", &main));
    reply.cookie(app.baker.csrf(&token, app.clock.now()))
}
