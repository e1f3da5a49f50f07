//! `/healthz`: the process answers. `/readyz`: it should be sent requests.

use rocket::data::Data;
use rocket::http::Status;
use rocket::request::Request;
use rocket::route::{BoxFuture as Answer, Outcome};
use serde_json::json;

use super::reply::Reply;

pub fn alive<'r>(_: &'r Request<'_>, _: Data<'r>) -> Answer<'r> {
    Box::pin(async move { Outcome::Success(Reply::json(Status::Ok, r#"{"status":"ok"}"#.to_owned()).into_response()) })
}

/// 503 while draining, without a database, or with migrations missing. Says `degraded`, and 200, without the bus:
/// messages are found by polling then.
pub fn ready<'r>(req: &'r Request<'_>, _: Data<'r>) -> Answer<'r> {
    Box::pin(async move {
        let app = super::app(req);
        let (status, word) = if app.is_draining() {
            (Status::ServiceUnavailable, "draining")
        } else {
            match app.chat.store.migration_status().await {
                Err(_) => (Status::ServiceUnavailable, "no database"),
                Ok(status) if !status.pending.is_empty() => (Status::ServiceUnavailable, "migrations missing"),
                Ok(_) if !app.chat.bus.is_healthy() => (Status::Ok, "degraded: no bus"),
                Ok(_) => (Status::Ok, "ok"),
            }
        };
        Outcome::Success(Reply::json(status, json!({"status": word}).to_string()).into_response())
    })
}
