//! How a socket ends, so that the client reads why.

use std::time::Duration;

use futures_util::stream::FusedStream as _;
use futures_util::{SinkExt as _, StreamExt as _};
use rocket_ws::Message;
use rocket_ws::frame::{CloseCode, CloseFrame};
use rocket_ws::result::Error as WsError;
use rocket_ws::stream::DuplexStream;
use tokio::time::timeout;

use crate::chat::Goodbye;

/// A client that takes longer to accept a frame is closed.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long a closing client may take to answer.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);
/// How long a connection stays that is no longer read: some way there and back.
const LINGER: Duration = Duration::from_millis(500);

/// How a socket ends.
pub(super) enum End {
    /// Close with this code, then hear the client out.
    Close(CloseCode, &'static str),
    /// The client has gone, or does not answer.
    Gone,
}

/// Closes, and polls the stream to its end: the client's own close must be read for it to see ours. After an error the
/// library reads no more. What the client sent lies unread then, and ending the connection would reset it, which may
/// take our close away from a client that has not read it yet: it stays for a while.
pub(super) async fn farewell(stream: &mut DuplexStream, code: CloseCode, reason: &'static str) {
    let frame = CloseFrame { code, reason: reason.into() };
    let unread = stream.is_terminated();
    let _ = timeout(FAREWELL, async {
        if stream.close(Some(frame)).await.is_ok() {
            while let Some(Ok(_)) = stream.next().await {}
            if unread {
                tokio::time::sleep(LINGER).await;
            }
        }
    })
    .await;
}

pub(super) fn goodbye(why: Goodbye) -> End {
    match why {
        Goodbye::Restart => End::Close(CloseCode::Restart, "restart"),
        Goodbye::Revoked => End::Close(CloseCode::Policy, "signed out"),
        Goodbye::Replaced => End::Close(CloseCode::Policy, "too many sockets"),
    }
}

/// Tells the client to start over, and ends: what it has next is a snapshot, and that has its own cursor.
pub(super) async fn reset(stream: &mut DuplexStream) -> End {
    match say(stream, r#"{"type":"reset"}"#.to_owned(), PATIENCE).await {
        Ok(()) => End::Close(CloseCode::Normal, "start over"),
        Err(end) => end,
    }
}

pub(super) fn broken(e: &WsError) -> End {
    match e {
        WsError::Capacity(_) => End::Close(CloseCode::Size, "too long"),
        WsError::Utf8 => End::Close(CloseCode::Invalid, "not UTF-8"),
        WsError::Protocol(_) => End::Close(CloseCode::Protocol, "protocol error"),
        _ => End::Gone,
    }
}

pub(super) async fn say(stream: &mut DuplexStream, text: String, patience: Duration) -> Result<(), End> {
    send(stream, Message::Text(text), patience).await
}

pub(super) async fn send(stream: &mut DuplexStream, message: Message, patience: Duration) -> Result<(), End> {
    match timeout(patience, stream.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}
