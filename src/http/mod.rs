//! HTTP: Rocket's routes over the use cases. A request passes `guards`, then the handler of its address: `api` for
//! everything below `/api/v1/`, `pages` for what people open, `socket`, `assets`, `health`, `setup`.

mod account;
mod api;
mod assets;
mod blocks;
mod body;
mod cards;
mod confirming;
mod conversations;
mod cookies;
mod csrf;
mod devices;
#[cfg(target_os = "linux")]
mod door;
mod email;
mod error;
mod events;
mod export;
mod fields;
mod forgot;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod guards;
mod health;
mod hosts;
mod html;
mod invites;
mod json;
mod messages;
mod my_data;
mod negotiate;
mod openapi;
mod pages;
#[cfg(test)]
mod panics;
mod passkeys;
mod people;
mod profiles;
mod query;
mod refusals;
mod reply;
mod reports;
mod resolve;
mod root;
mod second_factor;
mod second_step;
mod session;
mod settings;
mod setup;
mod signup;
mod socket;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ipnet::IpNet;
use rocket::catcher::{BoxFuture as Caught, Catcher};
use rocket::config::{Config, Ident, LogLevel, Shutdown};
use rocket::data::Data;
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::response::Response;
use rocket::route::{BoxFuture as Answer, Handler, Outcome, Route};
use rocket::{Build, Rocket};

#[cfg(target_os = "linux")]
pub use door::{shut as shut_door, widen as widen_door};
pub use openapi::document as openapi;
pub use setup::Setup;

use crate::auth::Auth;
use crate::chat::{Attending, Chat, Sockets};
use crate::config::Settings;
use crate::domain::Clock;
use crate::export::Exporter;
use crate::picture::Painter;
use crate::store::sharing_patience;
use body::read_body;
use cookies::Baker;
use error::ApiError;
use reply::Reply;

/// What every request can reach.
pub struct App {
    pub settings: Settings,
    pub chat: Chat,
    pub auth: Auth,
    pub sockets: Sockets,
    pub attending: Attending,
    pub clock: Arc<dyn Clock>,
    pub setup: Setup,
    pub painter: Painter,
    pub exporter: Exporter,
    /// `/` or `/PATH/`.
    base: String,
    baker: Baker,
    proxies: Vec<IpNet>,
    draining: AtomicBool,
    /// Held by each request until its answer is written.
    answering: Arc<()>,
}

impl App {
    pub fn new(settings: Settings, chat: Chat, auth: Auth, exporter: Exporter, clock: Arc<dyn Clock>) -> Self {
        let base = settings.base();
        let secure = settings.origin().is_some_and(|origin| origin.https);
        let baker = Baker { secure, path: base.clone() };
        let proxies = settings.proxies();
        Self {
            settings,
            chat,
            auth,
            sockets: Sockets::default(),
            attending: Attending::default(),
            clock,
            setup: Setup::default(),
            painter: Painter::default(),
            exporter,
            base,
            baker,
            proxies,
            draining: AtomicBool::new(false),
            answering: Arc::default(),
        }
    }

    /// From now on answers say `Connection: close`, `/readyz` says 503, and no socket is opened.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// How many requests are being answered.
    pub fn unanswered(&self) -> usize {
        Arc::strong_count(&self.answering) - 1
    }

    /// A path below the base.
    pub fn path(&self, name: &str) -> String {
        format!("{}{name}", self.base)
    }

    /// Scheme and host for links.
    fn origin(&self, req: &Request<'_>) -> String {
        match self.settings.origin() {
            Some(origin) => format!("{}://{}", if origin.https { "https" } else { "http" }, origin.host),
            None => format!("http://{}", req.headers().get_one("Host").unwrap_or_default()),
        }
    }
}

fn app<'r>(req: &'r Request<'_>) -> &'r Arc<App> {
    req.rocket().state().expect("server() puts the App into Rocket's state")
}

/// The recorded redirect to the path with its slash.
fn add_slash<'r>(req: &Request<'_>) -> Response<'r> {
    let query = req.uri().query().map_or_else(String::new, |query| format!("?{query}"));
    Reply::redirect(Status::MovedPermanently, &format!("{}/{query}", req.uri().path())).into_response()
}

fn robots<'r>(_: &'r Request<'_>, _: Data<'r>) -> Answer<'r> {
    Box::pin(async move {
        let text = b"User-agent: *\nDisallow: /\n".to_vec();
        Outcome::Success(Reply::empty(Status::Ok).with_body("text/plain; charset=utf-8", text).into_response())
    })
}

type Handle = for<'r> fn(&'r Request<'_>, Data<'r>) -> Answer<'r>;

/// Rocket takes a path with and without its last slash for the same; here one is the address, and the other leads
/// to it (pages) or is not there (the rest).
#[derive(Clone)]
struct Slashed(&'static str, Handle);

#[rocket::async_trait]
impl Handler for Slashed {
    async fn handle<'r>(&self, req: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let Self(path, handle) = self;
        let has_slash = req.uri().path().ends_with('/');
        let free = path.contains("<_..>") || path.starts_with("/api/");
        match (is_page(path), has_slash) {
            _ if free => sharing_patience(handle(req, data)).await,
            (true, false) => Outcome::Success(add_slash(req)),
            (false, true) => Outcome::Success(html::not_found()),
            _ => sharing_patience(handle(req, data)).await,
        }
    }
}

fn is_page(path: &str) -> bool {
    !matches!(path, "/ws" | "/healthz" | "/readyz" | "/robots.txt")
}

fn routes() -> Vec<Route> {
    use Method::{Delete, Get, Head, Options, Patch, Post, Put, Trace};
    const EVERY: &[Method] = &[Get, Head, Options, Post, Put, Patch, Delete];
    /// Below the API every method that Rocket knows is answered: a wrong one with 405.
    const API: &[Method] = &[Get, Head, Options, Post, Put, Patch, Delete, Trace];
    const READ: &[Method] = &[Get, Head];
    let table: &[(&str, &[Method], Handle)] = &[
        ("/", EVERY, pages::shell),
        ("/c/<_>", EVERY, pages::shell),
        ("/c/<_>/<_>", EVERY, pages::shell),
        ("/requests", EVERY, pages::shell),
        ("/settings", EVERY, pages::shell),
        ("/settings/<_>", EVERY, pages::shell),
        ("/login", EVERY, pages::login),
        ("/logout", EVERY, pages::logout),
        ("/setup/<_>", EVERY, setup::handle),
        ("/signup", EVERY, signup::page),
        ("/signup/<_>", EVERY, signup::page),
        ("/signup/confirm/<_>", EVERY, confirming::page),
        ("/password", EVERY, forgot::ask),
        ("/password/<_>", EVERY, forgot::choose),
        ("/email/<_>", EVERY, email::page),
        ("/api/v1", API, api::handle),
        ("/api/v1/<_..>", API, api::handle),
        ("/static/<_..>", READ, assets::handle),
        ("/ws", READ, socket::handle),
        ("/healthz", READ, health::alive),
        ("/readyz", READ, health::ready),
        ("/robots.txt", READ, robots),
    ];
    let routes = table.iter().flat_map(|(path, methods, handle)| {
        methods.iter().map(move |method| Route::ranked(rank(path), *method, path, Slashed(path, *handle)))
    });
    routes.collect()
}

/// Fixed paths go before dynamic ones, those before the rest of a path.
fn rank(path: &str) -> isize {
    if path.contains("<_..>") { 2 } else { isize::from(path.contains("<_>")) }
}

/// What nobody answered: an address that is not there, a broken request, a defect.
fn caught<'r>(status: Status, req: &'r Request<'_>) -> Caught<'r> {
    Box::pin(async move {
        let error = match status.code {
            404 => return Ok(html::not_found()),
            400 | 422 => ApiError::BadRequest("The request cannot be read.".to_owned()),
            413 => ApiError::TooLarge,
            503 => ApiError::Unavailable { outcome_unknown: true },
            code => ApiError::Internal(format!("status {code} without an answer")),
        };
        let mut response = guards::error_page(req, &error).logged(req, &error).into_response();
        // A request that Rocket cannot read passes no fairing.
        guards::complete(app(req), &mut response);
        Ok(response)
    })
}

/// The server. Rocket's own signals are off: `cli::serve` drains before it asks Rocket to end.
pub fn server(app: Arc<App>) -> Rocket<Build> {
    let config = Config {
        address: app.settings.address,
        port: app.settings.port,
        ident: Ident::try_new("chatd").unwrap_or_default(),
        ip_header: None,
        log_level: LogLevel::Off,
        cli_colors: false,
        keep_alive: 75,
        shutdown: Shutdown {
            ctrlc: false,
            signals: std::collections::HashSet::new(),
            // `cli::serve` decides how long the last requests are waited for, which is less.
            grace: 10,
            mercy: 1,
            ..Shutdown::default()
        },
        ..Config::release_default()
    };
    let refusing: Vec<_> =
        [Method::Get, Method::Head, Method::Options, Method::Post, Method::Put, Method::Patch, Method::Delete]
            .into_iter()
            .map(|method| Route::new(method, "/-refused", guards::refuse as Handle))
            .collect();
    let base = format!("/{}", app.base.trim_matches('/'));
    rocket::custom(config)
        .manage(app)
        // Rocket's own set of headers is smaller than what `guards` completes.
        .attach(rocket::shield::Shield::new())
        .attach(guards::Guards)
        .mount("/", refusing)
        .mount(base, routes())
        .register("/", vec![Catcher::new(None, caught as for<'r> fn(Status, &'r Request<'_>) -> Caught<'r>)])
}
