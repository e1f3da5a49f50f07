//! An answer before it is a Rocket response.

use std::io::{self, Cursor};

use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use rocket::http::Status;
use rocket::request::Request;
use rocket::response::Response;
use tokio::io::DuplexStream;
use tokio_util::io::StreamReader;

use super::error::ApiError;
use super::{guards, json};

/// What follows on the first part of a long body, part by part.
pub type Rest = BoxStream<'static, io::Result<Vec<u8>>>;

/// An answer.
pub struct Reply {
    pub status: Status,
    /// Content type and text; none is an empty answer without a type.
    pub body: Option<(&'static str, Vec<u8>)>,
    rest: Option<Rest>,
    /// Content type and what is read while it is sent, in the place of `body`.
    stream: Option<(&'static str, DuplexStream)>,
    headers: Vec<(&'static str, String)>,
    cookies: Vec<String>,
}

pub const JSON: &str = "application/json";
pub const HTML: &str = "text/html; charset=utf-8";

impl Reply {
    pub fn empty(status: Status) -> Self {
        Self { status, body: None, rest: None, stream: None, headers: Vec::new(), cookies: Vec::new() }
    }

    pub fn json(status: Status, text: String) -> Self {
        Self { body: Some((JSON, text.into_bytes())), ..Self::empty(status) }
    }

    pub fn html(status: Status, text: String) -> Self {
        Self { body: Some((HTML, text.into_bytes())), ..Self::empty(status) }
    }

    /// The same with this body.
    pub fn with_body(mut self, kind: &'static str, body: Vec<u8>) -> Self {
        self.body = Some((kind, body));
        self
    }

    /// 200 with JSON that begins so; the rest is sent while it is made. Its length is not known, and it breaks off where
    /// there is an error.
    pub fn in_parts(start: Vec<u8>, rest: Rest) -> Self {
        Self { body: Some((JSON, start)), rest: Some(rest), ..Self::empty(Status::Ok) }
    }

    /// The same with a body that is read while it is sent.
    pub fn with_stream(mut self, kind: &'static str, stream: DuplexStream) -> Self {
        self.stream = Some((kind, stream));
        self
    }

    /// A redirect; `location` is a path on this host.
    pub fn redirect(status: Status, location: &str) -> Self {
        Self::html(status, String::new()).header("Location", location)
    }

    pub fn error(e: &ApiError, indent: usize) -> Self {
        let reply = Self::empty(e.status());
        let body = e.body().map(|body| (JSON, json::write(&body, indent).into_bytes()));
        e.headers().into_iter().fold(Self { body, ..reply }, |reply, (name, value)| reply.header(name, value))
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }

    pub fn sets_cookie(&self, name: &str) -> bool {
        self.cookies.iter().any(|cookie| cookie.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
    }

    /// Whether there is something to be read.
    pub fn is_text(&self) -> bool {
        self.body.as_ref().is_some_and(|(kind, _)| *kind == JSON)
    }

    /// Notes the cause of an internal error beside the request's id; clients never see it.
    pub fn logged(self, req: &Request<'_>, e: &ApiError) -> Self {
        if let Some(cause) = e.cause() {
            tracing::error!(request = guards::request_id(req), cause, "internal error");
        }
        self
    }

    pub fn into_response<'r>(self) -> Response<'r> {
        let mut response = Response::new();
        response.set_status(self.status);
        if let Some((kind, body)) = self.body {
            response.set_raw_header("Content-Type", kind);
            match self.rest {
                None => response.set_sized_body(body.len(), Cursor::new(body)),
                Some(rest) => {
                    let parts = stream::once(std::future::ready(Ok(body))).chain(rest).map_ok(Cursor::new);
                    response.set_streamed_body(StreamReader::new(parts));
                }
            }
        }
        if let Some((kind, stream)) = self.stream {
            response.set_raw_header("Content-Type", kind);
            response.set_streamed_body(stream);
        }
        for (name, value) in self.headers {
            response.set_raw_header(name, value);
        }
        for cookie in self.cookies {
            response.adjoin_raw_header("Set-Cookie", cookie);
        }
        response
    }
}
