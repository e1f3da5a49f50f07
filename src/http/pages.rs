//! The pages: the client's shell, signing in and out. Every method is answered as recorded.

use rocket::data::Data;
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::route::{BoxFuture as Answer, Outcome};

use super::error::ApiError;
use super::html::{self, LoginPage};
use super::query::Query;
use super::reply::Reply;
use super::session::with_session;
use super::{App, assets, cookies, csrf, guards, hosts, second_step, words};
use crate::auth::{SignInError, SignedIn};

pub const NEVER_CACHED: &str = "max-age=0, no-cache, no-store, must-revalidate, private";

/// The client's addresses. Signed out: to the sign-in form, and back afterwards.
pub fn shell<'r>(req: &'r Request<'_>, data: Data<'r>) -> Answer<'r> {
    Box::pin(async move {
        let app = super::app(req);
        let reply = match home(app, req, data).await {
            Ok(reply) => reply,
            Err(e) => guards::error_page(req, &e).logged(req, &e),
        };
        Outcome::Success(reply.into_response())
    })
}

async fn home(app: &App, req: &Request<'_>, data: Data<'_>) -> Result<Reply, ApiError> {
    let allow = "GET, HEAD, OPTIONS";
    if !matches!(req.method(), Method::Get | Method::Head | Method::Options) {
        let form = read_form(app, req, data).await?;
        if !csrf::is_repeated(req, form.get("csrfmiddlewaretoken")) {
            return Ok(html::forbidden());
        }
        let reply = Reply::html(Status::MethodNotAllowed, String::new());
        return Ok(reply.header("Allow", allow).header("Vary", "Cookie"));
    }
    let token = cookies::value(req, "sessionid").filter(|token| !token.is_empty());
    let session = match &token {
        Some(token) => app.auth.session(token).await?,
        None => None,
    };
    if session.is_none() {
        let target = req.uri().to_string();
        let reply = Reply::redirect(Status::Found, &format!("{}?next={}", app.path("login/"), quote_path(&target)));
        let reply = reply.header("Vary", "Cookie");
        return Ok(if token.is_some() { reply.cookie(app.baker.no_session()) } else { reply });
    }
    let reply = match req.method() {
        Method::Options => Reply::html(Status::Ok, String::new()).header("Allow", allow),
        _ => assets::shell(app),
    };
    Ok(reply.header("Vary", "Cookie"))
}

/// As Django quotes `next`: everything but letters, digits and `_.-~/`.
fn quote_path(path: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEEP: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');
    utf8_percent_encode(path, KEEP).to_string()
}

/// The fields of a form; none if the body is of another kind.
pub async fn read_form(app: &App, req: &Request<'_>, data: Data<'_>) -> Result<Query, ApiError> {
    let body = super::read_body(data, app.settings.body_limit()).await?;
    let is_form = req.content_type().is_some_and(|kind| kind.is_form());
    Ok(if is_form { Query::parse_bytes(&body) } else { Query::default() })
}

/// `/login/`.
pub fn login<'r>(req: &'r Request<'_>, data: Data<'r>) -> Answer<'r> {
    Box::pin(async move {
        let app = super::app(req);
        let reply = match sign_in(app, req, data).await {
            Ok(reply) => reply,
            Err(e) => guards::error_page(req, &e).logged(req, &e),
        };
        Outcome::Success(reply.into_response())
    })
}

pub fn login_form(app: &App, req: &Request<'_>, status: Status, username: &str, error: Option<&str>) -> Reply {
    let token = csrf::cookie_token(req).unwrap_or_else(csrf::new_token);
    let words = words::of(req);
    let request = (status.code >= 500).then(|| guards::request_id(req));
    let passkey = second_step::passkey_button(app, req, true);
    let page = LoginPage { words, token: &token, username, error, request, passkey: &passkey }.render(app);
    Reply::html(status, page)
        .header("Cache-Control", NEVER_CACHED)
        .header("Vary", "Cookie")
        .cookie(app.baker.csrf(&token, app.clock.now()))
}

async fn sign_in(app: &App, req: &Request<'_>, data: Data<'_>) -> Result<Reply, ApiError> {
    let allow = "GET, POST, PUT, HEAD, OPTIONS";
    match req.method() {
        Method::Get | Method::Head => return Ok(login_form(app, req, Status::Ok, "", None)),
        Method::Options => {
            let reply = Reply::html(Status::Ok, String::new()).header("Allow", allow);
            return Ok(reply.header("Cache-Control", NEVER_CACHED));
        }
        _ => {}
    }
    let form = read_form(app, req, data).await?;
    if !csrf::is_repeated(req, form.get("csrfmiddlewaretoken")) {
        return Ok(html::forbidden());
    }
    if !matches!(req.method(), Method::Post | Method::Put) {
        return Ok(Reply::html(Status::MethodNotAllowed, String::new()).header("Allow", allow));
    }
    if let Some(posted) = second_step::posted(&form) {
        return match second_step::answer(app, req, &posted).await? {
            Ok(signed_in) => begin(app, req, &form, &signed_in).await,
            Err(page) => Ok(page),
        };
    }
    let username = form.get("username").unwrap_or_default().trim_matches(crate::domain::is_space);
    let password = form.get("password").unwrap_or_default();
    let refused = if username.is_empty() || password.is_empty() {
        Err(SignInError::Invalid)
    } else {
        app.auth.sign_in(username, password, &guards::origin(app, req)).await
    };
    let signed_in = match refused {
        Ok(signed_in) => signed_in,
        Err(SignInError::SecondStep(step)) => return Ok(second_step::page(app, req, Status::Ok, &step, None)),
        Err(SignInError::Invalid) => {
            return Ok(login_form(app, req, Status::Ok, username, Some(words::of(req).wrong)));
        }
        Err(e @ (SignInError::Throttled(seconds) | SignInError::TooOften(seconds))) => {
            let words = words::of(req);
            let error = if matches!(e, SignInError::TooOften(_)) { words.too_often } else { words.too_many };
            let error = error.replace('#', &seconds.to_string());
            let page = login_form(app, req, Status::TooManyRequests, username, Some(&error));
            return Ok(page.header("Retry-After", seconds.to_string()));
        }
        Err(SignInError::Store(e)) => {
            let e = ApiError::from(e);
            let page = login_form(app, req, e.status(), username, Some(words::of(req).trouble));
            let page = e.headers().into_iter().fold(page, |page, (name, value)| page.header(name, value));
            return Ok(page.logged(req, &e));
        }
    };
    begin(app, req, &form, &signed_in).await
}

/// Somebody has signed in: to where they wanted to go.
async fn begin(app: &App, req: &Request<'_>, form: &Query, signed_in: &SignedIn) -> Result<Reply, ApiError> {
    // The session from before the sign-in ends: its token may be known to somebody else.
    if let Some(old) = cookies::value(req, "sessionid") {
        app.auth.sign_out(&old).await?;
    }
    let query = Query::parse(req.uri().query().map_or("", |query| query.as_str()));
    let next = form.get("next").or_else(|| query.get("next"));
    let reply = Reply::redirect(Status::Found, &safe_next(app, req, next));
    Ok(with_session(app, reply.header("Cache-Control", NEVER_CACHED).header("Vary", "Cookie"), &signed_in.token))
}

/// Where to go next: a path on this host, or `/`.
fn safe_next(app: &App, req: &Request<'_>, next: Option<&str>) -> String {
    let home = app.base.clone();
    let Some(next) = next else { return home };
    if next.contains(|c: char| c.is_control() || c == '\\') || next.starts_with(char::is_whitespace) {
        return home;
    }
    if next.starts_with('/') && !next.starts_with("//") {
        return ascii_url(next);
    }
    let host = req.headers().get_one("Host").unwrap_or_default().to_ascii_lowercase();
    let own = hosts::is_own_origin(&app.settings, next, &host);
    match next.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])) {
        Some(path) if own && !path.starts_with("//") => ascii_url(path),
        _ => home,
    }
}

/// A header holds ASCII: what is not is percent-encoded.
fn ascii_url(url: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const BAD: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');
    utf8_percent_encode(url, BAD).to_string()
}

/// `/logout/`.
pub fn logout<'r>(req: &'r Request<'_>, data: Data<'r>) -> Answer<'r> {
    Box::pin(async move {
        let app = super::app(req);
        let reply = match sign_out(app, req, data).await {
            Ok(reply) => reply,
            Err(e) => guards::error_page(req, &e).logged(req, &e),
        };
        Outcome::Success(reply.into_response())
    })
}

async fn sign_out(app: &App, req: &Request<'_>, data: Data<'_>) -> Result<Reply, ApiError> {
    let query = Query::parse(req.uri().query().map_or("", |query| query.as_str()));
    match req.method() {
        Method::Get | Method::Head => {
            if from_elsewhere(app, req) {
                return Ok(ask_to_sign_out(app, req));
            }
        }
        Method::Options => {
            return Ok(Reply::html(Status::Ok, String::new()).header("Allow", "GET, POST, HEAD, OPTIONS"));
        }
        method => {
            let form = read_form(app, req, data).await?;
            if !csrf::is_repeated(req, form.get("csrfmiddlewaretoken")) {
                return Ok(html::forbidden());
            }
            if method != Method::Post {
                let reply = Reply::html(Status::MethodNotAllowed, String::new());
                return Ok(reply.header("Allow", "GET, POST, HEAD, OPTIONS"));
            }
        }
    }
    let reply = Reply::redirect(Status::Found, &safe_next(app, req, query.get("next")));
    let reply = reply.header("Cache-Control", NEVER_CACHED).header("Vary", "Cookie");
    let Some(token) = cookies::value(req, "sessionid") else { return Ok(reply) };
    app.auth.sign_out(&token).await?;
    Ok(reply.cookie(app.baker.no_session()))
}

/// Whether a browser says that another site led here.
fn from_elsewhere(app: &App, req: &Request<'_>) -> bool {
    let host = req.headers().get_one("Host").unwrap_or_default().to_ascii_lowercase();
    if guards::is_cross_site(app, req, &host) {
        return true;
    }
    req.headers().get_one("Referer").is_some_and(|referer| !hosts::is_own_origin(&app.settings, referer, &host))
}

fn ask_to_sign_out(app: &App, req: &Request<'_>) -> Reply {
    let token = csrf::cookie_token(req).unwrap_or_else(csrf::new_token);
    let main = format!(
        "<h1>Sign out?</h1><p>Another site led here. You are still signed in.</p>\
         <form method=\"post\"><input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"{token}\">\
         <button type=\"submit\">Sign out</button></form>"
    );
    let reply = Reply::html(Status::Ok, html::page(app, "Sign out", &main)).header("Vary", "Cookie");
    reply.cookie(app.baker.csrf(&token, app.clock.now()))
}
