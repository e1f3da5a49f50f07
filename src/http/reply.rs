//! An answer before it is a Rocket response.

use std::io::Cursor;

use rocket::http::Status;
use rocket::request::Request;
use rocket::response::Response;

use super::error::ApiError;
use super::{guards, json};

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: Status,
    /// Content type and text; none is an empty answer without a type.
    pub body: Option<(&'static str, Vec<u8>)>,
    headers: Vec<(&'static str, String)>,
    cookies: Vec<String>,
}

pub const JSON: &str = "application/json";
pub const HTML: &str = "text/html; charset=utf-8";

impl Reply {
    pub fn empty(status: Status) -> Self {
        Self { status, body: None, headers: Vec::new(), cookies: Vec::new() }
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

    /// Whether there is nothing to show.
    pub fn is_bare(&self) -> bool {
        self.body.is_none()
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
            response.set_sized_body(body.len(), Cursor::new(body));
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
