//! `/ws`: what happens, as it happens. As recorded it tells ids of new messages; with `events=1` it tells every
//! change, in the order of the user's log, each once.
//!
//! The task of a socket listens first and reads the log then, so no event falls between. It holds no queue: it is
//! woken, reads the log on from where it stands, and writes. A client that does not keep up is closed and resumes by
//! its cursor; it slows nobody. Storage is never called inside of a `select!`.

mod ending;
#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing;
mod live;
mod said;
mod standing;
mod talk;

use std::sync::Arc;

use rocket::data::Data;
use rocket::request::{FromRequest as _, Request};
use rocket::response::Responder as _;
use rocket::route::{BoxFuture as Answer, Outcome};
use rocket_ws::stream::DuplexStream;
use rocket_ws::{Config, WebSocket};

use super::error::ApiError;
use super::query::Query;
use super::{App, cookies, events, guards, html};
use crate::domain::{Cursor, Position, Sharing, UserId};
use ending::{End, farewell};
use talk::Talk;

/// What a client may send at most, in one frame and in one message of several. The library refuses a longer frame by
/// its header, before it has the rest; its own limit of a message lies higher, so that ours ends in order.
const MOST_FRAME_BYTES: usize = 4 * 1024;
const MOST_BYTES: usize = 16 * 1024;
const LIBRARY_LIMIT: usize = 64 * 1024;

/// The handler of `/ws`.
pub fn handle<'r>(req: &'r Request<'_>, _: Data<'r>) -> Answer<'r> {
    Box::pin(async move {
        let Some(ws) = WebSocket::from_request(req).await.succeeded() else {
            return Outcome::Success(html::not_found());
        };
        let socket = match admit(req).await {
            Ok(socket) => socket,
            Err(e) => return Outcome::Success(guards::error_page(req, &e).logged(req, &e).into_response()),
        };
        let config = Config {
            max_message_size: Some(LIBRARY_LIMIT),
            max_frame_size: Some(MOST_FRAME_BYTES),
            write_buffer_size: 4096,
            max_write_buffer_size: 1024 * 1024,
            ..Config::default()
        };
        let channel = ws.config(config).channel(move |stream| {
            Box::pin(async move {
                socket.run(stream).await;
                Ok(())
            })
        });
        match channel.respond_to(req) {
            Ok(response) => {
                guards::note_upgrade(req);
                Outcome::Success(response)
            }
            Err(_) => Outcome::Success(html::not_found()),
        }
    })
}

/// A socket that may be opened.
struct Socket {
    app: Arc<App>,
    user: UserId,
    token_hash: String,
    /// Whether it opted in to events.
    events: bool,
    after: Option<Cursor>,
    /// What its user shared at the handshake.
    sharing: Sharing,
    /// The head before the handshake was answered: whatever is stored after the 101 is told.
    head: Position,
}

/// Checks who asks, before the handshake is answered.
async fn admit(req: &Request<'_>) -> Result<Socket, ApiError> {
    let app = super::app(req);
    if app.is_draining() {
        return Err(ApiError::Unavailable { outcome_unknown: false });
    }
    let token = cookies::value(req, "sessionid").unwrap_or_default();
    let (session, user) = app.auth.session(&token).await?.ok_or(ApiError::NotSignedIn)?;
    let query = Query::parse(req.uri().query().map_or("", |query| query.as_str()));
    let events = query.get("events") == Some("1");
    let after = match query.get("after").filter(|_| events) {
        Some(text) => Some(events::cursor(text)?),
        None => None,
    };
    let head = app.chat.head(user.id).await?;
    let (sharing, user, token_hash) = (user.sharing, user.id, session.token_hash);
    Ok(Socket { app: app.clone(), user, token_hash, events, after, sharing, head })
}

impl Socket {
    async fn run(self, mut stream: DuplexStream) {
        let open = self.app.sockets.open(self.user, &self.token_hash, self.app.settings.sockets_per_user);
        let subscription = self.app.chat.subscribe(self.user).await;
        let mut talk = Talk::new(&self, open, subscription);
        let end = talk.until_end(&mut stream).await;
        if let End::Close(code, reason) = end {
            farewell(&mut stream, code, reason).await;
        }
    }
}
