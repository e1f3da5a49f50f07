//! `account/export/`: everything of one's own, to take along.

use rocket::data::Data;
use rocket::http::{Method, Status};
use tokio::io::{AsyncWriteExt as _, duplex};

use super::api::{Access, Call, Endpoint, Running};
use super::error::ApiError;
use super::json::ExportJson;
use super::reply::{HTML, Reply};
use crate::domain::ExportPart;
use crate::export::AskError;

pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: &["account", "export"],
        name: "Account Export",
        access: Access::Session,
        methods: &[(Method::Get, show), (Method::Post, ask)],
        allow: "GET, POST, HEAD, OPTIONS",
        suffix: true,
        form: false,
    },
    Endpoint {
        path: &["account", "export", "<>", "data.jsonl"],
        name: "Account Export Lines",
        access: Access::Session,
        methods: &[(Method::Get, lines)],
        allow: "GET, HEAD, OPTIONS",
        suffix: false,
        form: false,
    },
    Endpoint {
        path: &["account", "export", "<>", "index.html"],
        name: "Account Export Page",
        access: Access::Session,
        methods: &[(Method::Get, page)],
        allow: "GET, HEAD, OPTIONS",
        suffix: false,
        form: false,
    },
];

/// What is read ahead of what a client takes.
const AHEAD: usize = 64 * 1024;

fn show<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let export = call.app.exporter.export_of(call.user_id()?).await?;
        Ok(call.ok(&ExportJson::new(export.as_ref(), |path| call.app.path(path))))
    })
}

fn ask<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let export = call.app.exporter.ask(call.user_id()?).await?;
        Ok(call.reply(Status::Accepted, &ExportJson::new(Some(&export), |path| call.app.path(path))))
    })
}

fn lines<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let reply = send(call, ExportPart::Lines, "application/jsonl").await?;
        let name = format!("attachment; filename=\"chatd-{}.jsonl\"", call.arg());
        Ok(reply.header("Content-Disposition", name))
    })
}

/// A page of chatd's own making, in which every text is escaped. In its window nothing at all may run or be fetched.
fn page<'a, 'r>(call: &'a Call<'r>, _: Data<'r>) -> Running<'a> {
    Box::pin(async move {
        let reply = send(call, ExportPart::Page, HTML).await?;
        Ok(reply.header("Content-Security-Policy", "default-src 'none'; sandbox"))
    })
}

/// Piece by piece: never more in memory than the next one. What ends without the entry `end` is not whole.
async fn send(call: &Call<'_>, part: ExportPart, kind: &'static str) -> Result<Reply, ApiError> {
    let (user, exporter) = (call.user_id()?, call.app.exporter.clone());
    let id = call.arg().parse().map_err(|_| ApiError::NotFound)?;
    let mut next = exporter.piece(user, id, part, 0).await?;
    if next.is_none() {
        return Err(ApiError::NotFound);
    }
    let (mut to, from) = duplex(AHEAD);
    tokio::spawn(async move {
        let mut no = 0;
        while let Some(piece) = next.take() {
            // Whoever reads may have gone.
            if to.write_all(&piece).await.is_err() {
                return;
            }
            no += 1;
            match exporter.piece(user, id, part, no).await {
                Ok(more) => next = more,
                Err(e) => tracing::warn!(error = %e, "an export was sent in part"),
            }
        }
    });
    Ok(Reply::empty(Status::Ok).with_stream(kind, from).header("Cache-Control", "private, no-store"))
}

impl From<AskError> for ApiError {
    fn from(e: AskError) -> Self {
        match e {
            AskError::Throttled(seconds) => Self::Throttled(seconds),
            AskError::Store(e) => e.into(),
        }
    }
}
