//! What is looked at before any route: whose host was asked, whether another site sent the request, how the body is
//! packed. A fairing cannot answer, so a refused request is sent to one internal route; no route can forget.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rocket::data::Data;
use rocket::fairing::{Fairing, Info, Kind};
use rocket::form::Form;
use rocket::http::uri::Origin as Uri;
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::response::Response;
use rocket::route::{BoxFuture as Answer, Outcome};

use super::error::ApiError;
use super::reply::Reply;
use super::{App, hosts, html, words};
use crate::auth::Origin;

const REFUSING: &str = "/-refused";

/// What the fairing notes about a request.
struct Note {
    id: String,
    started: Instant,
    path: String,
    refused: Option<ApiError>,
    upgraded: AtomicBool,
    /// Rocket drops the request, and this with it, when the last of its answer is written. A socket's is let go before.
    answering: Mutex<Option<Arc<()>>>,
}

/// Checks requests, completes answers, and logs one line for each.
pub struct Guards;

#[rocket::async_trait]
impl Fairing for Guards {
    fn info(&self) -> Info {
        Info { name: "guards", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, req: &mut Request<'_>, data: &mut Data<'_>) {
        let app = super::app(req);
        let refused = if names_method(req, data).await {
            // Rocket has taken the method from the form; the method is the one on the wire.
            Some(ApiError::BadRequest("A form must not name a method.".to_owned()))
        } else {
            refusal(app, req)
        };
        let note = Note {
            id: format!("{:08x}", rand::random::<u32>()),
            started: Instant::now(),
            path: shown_path(app, req),
            refused,
            upgraded: AtomicBool::new(false),
            answering: Mutex::new(Some(app.answering.clone())),
        };
        let note = req.local_cache(|| note);
        if note.refused.is_some() {
            req.set_uri(Uri::parse(REFUSING).expect("a constant path"));
        }
    }

    async fn on_response<'r>(&self, req: &'r Request<'_>, res: &mut Response<'r>) {
        let app = super::app(req);
        complete(app, res);
        let Some(note) = note(req) else { return };
        res.set_raw_header("X-Request-Id", note.id.clone());
        if app.is_draining() && res.status() != Status::SwitchingProtocols {
            res.set_raw_header("Connection", "close");
        }
        let micros = u64::try_from(note.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::info!(
            request = note.id,
            method = %req.method(),
            path = note.path,
            status = if note.upgraded.load(Ordering::Relaxed) { 101 } else { res.status().code },
            micros,
            "request"
        );
    }
}

/// The path for the log: a link with a token in it is a secret.
fn shown_path(app: &App, req: &Request<'_>) -> String {
    let path = req.uri().path().to_string();
    let secret = ["setup/", "signup/", "password/", "email/"]
        .map(|name| app.path(name))
        .into_iter()
        .find(|start| path.starts_with(start));
    match secret {
        Some(start) if path.len() > start.len() => format!("{start}***/"),
        _ => path,
    }
}

/// Whether Rocket finds a method in the request's form. Read with Rocket's own parser and from as many bytes: there is
/// more than one way to write a field's name.
async fn names_method(req: &Request<'_>, data: &mut Data<'_>) -> bool {
    if !req.content_type().is_some_and(|kind| kind.is_form()) {
        return false;
    }
    let start = data.peek("_method=delete".len()).await;
    let first = std::str::from_utf8(start).ok().and_then(|form| Form::values(form).next());
    first.is_some_and(|field| field.name == "_method")
}

fn note<'r>(req: &'r Request<'_>) -> Option<&'r Note> {
    // Made by the request's fairing; a request that did not get that far has none.
    let note = req.local_cache(|| Note {
        id: String::new(),
        started: Instant::now(),
        path: req.uri().path().to_string(),
        refused: None,
        upgraded: AtomicBool::new(false),
        answering: Mutex::default(),
    });
    Some(note).filter(|note| !note.id.is_empty())
}

/// Notes for the log that this is a handshake: its 101 is set when nobody looks any more. From here on it is a socket,
/// which is counted as such.
pub fn note_upgrade(req: &Request<'_>) {
    if let Some(note) = note(req) {
        note.upgraded.store(true, Ordering::Relaxed);
        drop(note.answering.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// The request's id, as in the log and in `X-Request-Id`.
pub fn request_id<'r>(req: &'r Request<'_>) -> &'r str {
    note(req).map_or("", |note| note.id.as_str())
}

/// The path that was asked for, also of a refused request.
pub fn asked_path<'r>(req: &'r Request<'_>) -> &'r str {
    note(req).map_or("", |note| note.path.as_str())
}

/// The route of refused requests; to everybody else it is not there.
pub fn refuse<'r>(req: &'r Request<'_>, _: Data<'r>) -> Answer<'r> {
    Box::pin(async move {
        let Some(error) = note(req).and_then(|note| note.refused.as_ref()) else {
            return Outcome::Success(html::not_found());
        };
        Outcome::Success(error_page(req, error).into_response())
    })
}

/// An error outside of the API's table: JSON below `/api/`, else a page.
pub fn error_page(req: &Request<'_>, error: &ApiError) -> Reply {
    let app = super::app(req);
    if asked_path(req).starts_with(&format!("{}api/", app.base)) {
        return Reply::error(error, 0);
    }
    let status = error.status();
    let page = if status.code >= 500 {
        html::trouble(app, words::of(req), status, (&req.uri().to_string(), request_id(req)))
    } else {
        let detail = html::escape(&error.words());
        let heading = format!("{} ({})", status.reason_lossy(), status.code);
        html::plain(status, &heading, &heading, &detail)
    };
    error.headers().into_iter().fold(page, |page, (name, value)| page.header(name, value))
}

fn refusal(app: &App, req: &Request<'_>) -> Option<ApiError> {
    let path = req.uri().path().as_str();
    let health = [app.path("healthz"), app.path("readyz")].iter().any(|p| path == p);
    let host = req.headers().get_one("Host").map(str::to_ascii_lowercase);
    if !health && !host.as_deref().is_some_and(|host| hosts::allows(&app.settings, host)) {
        return Some(ApiError::BadRequest("This host is not served here.".to_owned()));
    }
    let upgrade = req.headers().contains("Upgrade");
    let safe = matches!(req.method(), Method::Get | Method::Head | Method::Options | Method::Trace);
    if (!safe || upgrade) && is_cross_site(app, req, &host.unwrap_or_default()) {
        return Some(ApiError::CrossSite);
    }
    let packed = req.headers().get("Content-Encoding").any(|e| !e.trim().eq_ignore_ascii_case("identity"));
    packed.then_some(ApiError::UnsupportedEncoding)
}

/// Whether a browser says that another site made this request. Programs say nothing, and pass.
pub fn is_cross_site(app: &App, req: &Request<'_>, host: &str) -> bool {
    let mut sites = req.headers().get("Sec-Fetch-Site").peekable();
    if sites.peek().is_some() {
        return !sites.all(|site| matches!(site, "same-origin" | "none"));
    }
    let mut origins = req.headers().get("Origin");
    origins.any(|origin| !hosts::is_own_origin(&app.settings, origin, host))
}

/// Where a request comes from.
pub fn origin(app: &App, req: &Request<'_>) -> Origin {
    let forwarded = req.headers().get("X-Forwarded-For");
    let address = hosts::client_address(req.remote().map(|peer| peer.ip()), forwarded, &app.proxies);
    Origin { address, user_agent: req.headers().get_one("User-Agent").unwrap_or_default().to_owned() }
}

/// The one policy that may be made is for the address of the service worker (`frontend/src/worker/register.ts`).
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types chatd-worker";

/// What every answer carries, errors and refused upgrades among them. What is there already stays.
pub fn complete(app: &App, res: &mut Response<'_>) {
    let redirect = res.status() == Status::MovedPermanently;
    let mut default = |name: &'static str, value: &'static str| {
        if !res.headers().contains(name) {
            res.set_raw_header(name, value);
        }
    };
    default("X-Content-Type-Options", "nosniff");
    default("Referrer-Policy", "same-origin");
    default("Cross-Origin-Opener-Policy", "same-origin");
    default("Cross-Origin-Resource-Policy", "same-origin");
    default("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    default("Content-Security-Policy", CSP);
    default("Cache-Control", "no-store");
    // As recorded: the redirects to the path with its slash have none.
    if !redirect {
        default("X-Frame-Options", "DENY");
    }
    if app.baker.secure {
        default("Strict-Transport-Security", "max-age=31536000");
    }
}
