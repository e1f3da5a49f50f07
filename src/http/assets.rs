//! The web client, inside of the binary. Text is compressed once, when it is first asked for.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use rocket::data::Data;
use rocket::http::Status;
use rocket::request::Request;
use rocket::route::{BoxFuture as Answer, Outcome};
use rust_embed::RustEmbed;
use serde_json::Value;

use super::reply::Reply;
use super::{App, html};

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

/// The client's service worker: it keeps these files for when there is no network.
const WORKER: &str = "sw.js";

static COMPRESSED: LazyLock<Mutex<HashMap<String, Vec<u8>>>> = LazyLock::new(Mutex::default);

/// The script and the style of the sign-in page, from the build's manifest.
static LOGIN: LazyLock<(String, String)> = LazyLock::new(|| {
    let manifest = Files::get("manifest.json").map(|file| file.data).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let entry = &manifest["src/login.ts"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&entry["file"]), text(&entry["css"][0]))
});

/// The script and the style of the sign-in page, below `static/`.
pub fn login_files() -> (&'static str, &'static str) {
    (&LOGIN.0, &LOGIN.1)
}

/// The page of the web client.
pub fn shell(app: &App) -> Reply {
    let page = Files::get("index.html").map(|file| String::from_utf8_lossy(&file.data).into_owned());
    let page = page.unwrap_or_default();
    let page = if app.base == "/" {
        page
    } else {
        page.replace("=\"/static/", &format!("=\"{}static/", app.base))
            .replace("name=\"chatd-base\" content=\"/\"", &format!("name=\"chatd-base\" content=\"{}\"", app.base))
    };
    Reply::html(Status::Ok, page)
}

/// `GET /static/…`.
pub fn handle<'r>(req: &'r Request<'_>, _: Data<'r>) -> Answer<'r> {
    Box::pin(async move {
        let app = super::app(req);
        let path = req.uri().path().as_str();
        let name = path.strip_prefix(app.base.as_str()).and_then(|path| path.strip_prefix("static/"));
        // Names are looked up as they are: what would have to be decoded is no file of ours.
        let file = name.and_then(|name| Files::get(name).map(|file| (name, file.data)));
        let Some((name, bytes)) = file.filter(|(name, _)| *name != "index.html" && *name != "manifest.json") else {
            return Outcome::Success(html::not_found());
        };
        Outcome::Success(serve(req, name, &bytes).into_response())
    })
}

fn serve(req: &Request<'_>, name: &str, bytes: &[u8]) -> Reply {
    let kind = match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json" | "webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    };
    let cache = match name {
        // Files with a hash in their name never change.
        _ if name.starts_with("assets/") => "public, max-age=31536000, immutable",
        WORKER => "no-cache",
        _ => "public, max-age=300",
    };
    let mut reply = Reply::empty(Status::Ok).header("Cache-Control", cache).header("Vary", "Accept-Encoding");
    if name == WORKER {
        // It lies below `static/` and answers for all of the client.
        reply = reply.header("Service-Worker-Allowed", super::app(req).base.clone());
    }
    let takes_gzip = req.headers().get("Accept-Encoding").any(|v| v.split(',').any(|e| e.trim().starts_with("gzip")));
    if takes_gzip && !kind.starts_with("image/png") {
        let body = compressed(name, bytes);
        return reply.with_body(kind, body).header("Content-Encoding", "gzip");
    }
    reply.with_body(kind, bytes.to_vec())
}

fn compressed(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut known = COMPRESSED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let made = known.entry(name.to_owned()).or_insert_with(|| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory does not fail.
        let _ = encoder.write_all(bytes);
        encoder.finish().unwrap_or_default()
    });
    made.clone()
}
