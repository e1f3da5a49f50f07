//! `/api/v1/`: the order in which every endpoint answers, as recorded: the form of the answer, who asks, the token,
//! the method. An endpoint is a row of a table with a function for each method; nothing can forget a step.
//!
//! To add an endpoint: a file with its functions and its `ENDPOINTS`, named in [`TABLE`], described in `openapi`.

use rocket::data::Data;
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::route::{BoxFuture as Answer, Outcome};
use serde::Serialize;

use super::error::ApiError;
use super::fields::Fields;
use super::guards;
use super::negotiate::{Form, negotiate};
use super::query::Query;
use super::reply::Reply;
use super::resolve::{Resolved, resolve};
use super::{
    App, account, blocks, confirming, conversations, csrf, devices, email, events, export, forgot, html, invites, json,
    messages, my_data, openapi, passkeys, people, profiles, reports, root, second_factor, second_step, session,
    settings, signup,
};
use crate::auth::Origin;
use crate::domain::{User, UserId};
use crate::limits::Kind;
use crate::store::Session;

/// The future of an endpoint's function.
pub type Running<'a> = rocket::futures::future::BoxFuture<'a, Result<Reply, ApiError>>;
/// An endpoint's function.
pub type Run = for<'a, 'r> fn(&'a Call<'r>, Data<'r>) -> Running<'a>;

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A session.
    Session,
    /// A session, with the token for unsafe methods, or HTTP Basic: as recorded for two endpoints.
    SessionWithTokenOrBasic,
    /// Anybody; the functions themselves ask who it is.
    Open,
}

/// A row of the table.
pub struct Endpoint {
    /// Segments behind `/api/v1/`; `<>` stands for any.
    pub path: &'static [&'static str],
    /// As OPTIONS and the readable page call it.
    pub name: &'static str,
    pub access: Access,
    pub methods: &'static [(Method, Run)],
    /// The `Allow` header: at least what was recorded.
    pub allow: &'static str,
    /// Whether `.json` may follow; not where a name with dots is the last segment.
    pub suffix: bool,
    /// Whether the readable page has the recorded form for a message.
    pub form: bool,
}

/// Every endpoint.
pub const TABLE: &[&[Endpoint]] = &[
    root::ENDPOINTS,
    messages::ENDPOINTS,
    people::ENDPOINTS,
    conversations::ENDPOINTS,
    events::ENDPOINTS,
    session::ENDPOINTS,
    second_step::ENDPOINTS,
    settings::ENDPOINTS,
    blocks::ENDPOINTS,
    reports::ENDPOINTS,
    account::ENDPOINTS,
    email::ENDPOINTS,
    forgot::ENDPOINTS,
    profiles::ENDPOINTS,
    second_factor::ENDPOINTS,
    passkeys::ENDPOINTS,
    my_data::ENDPOINTS,
    export::ENDPOINTS,
    devices::ENDPOINTS,
    invites::ENDPOINTS,
    signup::ENDPOINTS,
    confirming::ENDPOINTS,
    openapi::ENDPOINTS,
];

/// A request to an endpoint.
pub struct Call<'r> {
    pub req: &'r Request<'r>,
    pub app: &'r App,
    pub endpoint: &'static Endpoint,
    /// What stands for `<>`, decoded.
    pub args: Vec<String>,
    pub query: Query,
    pub form: Form,
    /// The suffix with its dot, for links.
    pub suffix: String,
    user: Option<User>,
    /// None with HTTP Basic.
    session: Option<Session>,
}

impl Call<'_> {
    /// The user; on open endpoints an error if there is none.
    pub fn user(&self) -> Result<&User, ApiError> {
        self.user.as_ref().ok_or(ApiError::NotSignedIn)
    }

    pub fn user_id(&self) -> Result<UserId, ApiError> {
        self.user().map(|user| user.id)
    }

    /// The session by which the user is known, if it is one.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The first argument of the path.
    pub fn arg(&self) -> &str {
        self.args.first().map_or("", String::as_str)
    }

    /// 200 with this.
    pub fn ok(&self, value: &(impl Serialize + ?Sized)) -> Reply {
        self.reply(Status::Ok, value)
    }

    pub fn reply(&self, status: Status, value: &(impl Serialize + ?Sized)) -> Reply {
        let indent = match self.form {
            Form::Json { indent } => indent,
            Form::Html => 4,
        };
        Reply::json(status, json::write(value, indent))
    }

    /// The body's fields; an error if it is too large or cannot be read.
    pub async fn fields(&self, data: Data<'_>) -> Result<Fields, ApiError> {
        let body = super::read_body(data, self.app.settings.body_limit()).await?;
        let kind = self.req.headers().get_one("Content-Type");
        Fields::parse(kind.map(|text| (text, self.req.content_type())), &body).await
    }

    /// An absolute link to this address with other parameters.
    pub fn link(&self, query: &Query) -> String {
        let path = self.req.uri().path();
        format!("{}{}{}", self.app.origin(self.req), path, query.to_suffix())
    }

    pub fn origin(&self) -> Origin {
        guards::origin(self.app, self.req)
    }
}

/// The handler of everything under `/api/v1`.
pub fn handle<'r>(req: &'r Request<'_>, data: Data<'r>) -> Answer<'r> {
    Box::pin(async move {
        let app = super::app(req);
        let path = req.uri().path().as_str();
        let inside = path.strip_prefix(app.base.as_str()).and_then(|path| path.strip_prefix("api/v1")).unwrap_or("");
        let Some(found) = resolve(inside) else { return Outcome::Success(html::not_found()) };
        if !found.slash {
            return Outcome::Success(super::add_slash(req));
        }
        Outcome::Success(answer(app, req, data, found).await.into_response())
    })
}

async fn answer<'r>(app: &'r App, req: &'r Request<'_>, data: Data<'r>, found: Resolved) -> Reply {
    let endpoint = found.endpoint;
    let query = Query::parse(req.uri().query().map_or("", |query| query.as_str()));
    let format = found.format.clone().or_else(|| query.get("format").map(str::to_owned));
    let form = match negotiate(req.headers().get_one("Accept"), format.as_deref()) {
        Ok(form) => form,
        // Whoever takes pictures alone gets one, and so with files.
        Err(ApiError::NotAcceptable) if matches!(endpoint.path, ["avatar", "<>"] | ["account", "export", "<>", _]) => {
            Form::Json { indent: 0 }
        }
        Err(e) => {
            let reply = Reply::error(&e, 0).header("Vary", "Accept").header("Allow", endpoint.allow);
            return reply.logged(req, &e);
        }
    };
    let suffix = found.format.map(|format| format!(".{format}")).unwrap_or_default();
    let mut call = Call { req, app, endpoint, args: found.args, query, form, suffix, user: None, session: None };
    let known = identify(&mut call).await;
    let bad_session = matches!(known, Ok(Known::StaleCookie));
    let outcome = match known {
        Ok(known) => permit(&call, &known),
        Err(e) => Err(e),
    };
    let outcome = match outcome {
        Ok(()) => limit(&call).await,
        Err(e) => Err(e),
    };
    let outcome = match outcome {
        Ok(()) => run(&call, data).await,
        Err(e) => Err(e),
    };
    let mut reply = match outcome {
        Ok(reply) => reply,
        Err(e) => Reply::error(&e, if form == Form::Html { 4 } else { 0 }).logged(req, &e),
    };
    if form == Form::Html && reply.is_text() {
        reply = html::readable(&call, reply);
    }
    if bad_session && takes_cookie_back(&call) && !reply.sets_cookie("sessionid") {
        reply = reply.cookie(app.baker.no_session());
    }
    reply.header("Vary", "Accept, Cookie").header("Allow", endpoint.allow)
}

/// Whether a cookie without a session is taken back, as recorded. Not from the script of a page, and not where the
/// predecessor had no address: its request may have begun before somebody signed in beside it, and what is taken back
/// when it ends is the new session's cookie.
fn takes_cookie_back(call: &Call<'_>) -> bool {
    let by_script = call.req.headers().get_one("Sec-Fetch-Mode").is_some_and(|mode| mode != "navigate");
    !by_script && matches!(call.endpoint.path.first(), None | Some(&("message" | "user")))
}

/// How the request says who asks.
#[derive(PartialEq, Eq)]
enum Known {
    Session,
    Basic,
    StaleCookie,
    Nobody,
}

async fn identify(call: &mut Call<'_>) -> Result<Known, ApiError> {
    let cookie = super::cookies::value(call.req, "sessionid").filter(|token| !token.is_empty());
    if let Some(token) = &cookie
        && let Some((session, user)) = call.app.auth.session(token).await?
    {
        (call.user, call.session) = (Some(user), Some(session));
        return Ok(Known::Session);
    }
    let basic = call.endpoint.access == Access::SessionWithTokenOrBasic && call.app.settings.basic_auth;
    if basic && let Some((name, password)) = basic_credentials(call.req.headers().get_one("Authorization"))? {
        call.user = Some(call.app.auth.check(&name, &password, &call.origin()).await?);
        return Ok(Known::Basic);
    }
    Ok(if cookie.is_some() { Known::StaleCookie } else { Known::Nobody })
}

/// Name and password of an `Authorization`; none if it is of another scheme.
pub(super) fn basic_credentials(header: Option<&str>) -> Result<Option<(String, String)>, ApiError> {
    use base64::Engine as _;
    let Some((scheme, value)) = header.and_then(|header| header.split_once(' ')) else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(value.trim());
    let text = decoded.map_err(|_| ApiError::WrongCredentials)?;
    let text = String::from_utf8(text).map_err(|_| ApiError::WrongCredentials)?;
    let (name, password) = text.split_once(':').ok_or(ApiError::WrongCredentials)?;
    Ok(Some((name.to_owned(), password.to_owned())))
}

fn is_unsafe(method: Method) -> bool {
    !matches!(method, Method::Get | Method::Head | Method::Options | Method::Trace)
}

fn permit(call: &Call<'_>, known: &Known) -> Result<(), ApiError> {
    if call.endpoint.access == Access::Open {
        return Ok(());
    }
    call.user()?;
    let wants_token = call.endpoint.access == Access::SessionWithTokenOrBasic && *known == Known::Session;
    if wants_token && is_unsafe(call.req.method()) && !csrf::is_repeated(call.req, None) {
        return Err(ApiError::CsrfFailed);
    }
    Ok(())
}

/// Takes the request from the user's allowance. An error before anything of it was done: it may come again as it is.
async fn limit(call: &Call<'_>) -> Result<(), ApiError> {
    let (Some(user), Some(kind)) = (&call.user, limited_as(call.endpoint.path, call.req.method())) else {
        return Ok(());
    };
    let taken = call.app.auth.limits().take(kind, user.id).await;
    taken.map_err(|wait| ApiError::Throttled(wait.as_secs() + 1))
}

/// What a request is taken from. Marks (how far one has read) are not limited: they write once for each message, and the
/// messages are. Nor are the ways in and out.
fn limited_as(path: &[&str], method: Method) -> Option<Kind> {
    match path {
        _ if !is_unsafe(method) => Some(Kind::Reads),
        ["conversation", _, _] | ["session" | "signup", ..] => None,
        ["message" | "conversation" | "settings", ..] => Some(Kind::Messages),
        _ => Some(Kind::Reads),
    }
}

async fn run<'r>(call: &Call<'r>, data: Data<'r>) -> Result<Reply, ApiError> {
    let asked = call.req.method();
    let method = if asked == Method::Head { Method::Get } else { asked };
    if method == Method::Options {
        return Ok(call.ok(&root::metadata(call.endpoint)));
    }
    match call.endpoint.methods.iter().find(|(m, _)| *m == method) {
        Some((_, run)) => run(call, data).await,
        None => Err(ApiError::MethodNotAllowed(asked.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_holds_what_is_served() {
        for endpoint in TABLE.iter().copied().flatten() {
            for (method, _) in endpoint.methods {
                assert!(endpoint.allow.contains(method.as_str()), "{}", endpoint.name);
            }
        }
    }
}
