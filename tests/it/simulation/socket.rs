//! The server's side of a socket, without a wire and without a session: the program's own feed, woken and asked as
//! `http/socket/talk.rs` does it.

use std::pin::pin;
use std::sync::Arc;

use chatd::bus::Registry;
use chatd::chat::{Chat, ChatError, Feed, Listener};
use chatd::domain::{Cursor, Event, Position, UserId};
use futures_util::future::{Either, select};
use tokio::sync::mpsc::UnboundedSender;

use super::bugs::Bug;
use super::world::World;

/// How often a socket looks around when nothing wakes it.
const TICK: u64 = 1000;
/// A `head` frame comes with every so many of those.
const TICKS_TO_HEAD: u32 = 3;
const PAGE: i64 = 3;
/// Bytes of a page: of three events one is sometimes left for the next.
const HELD: usize = 800;

/// What a socket says.
pub enum Frame {
    Hello,
    Event { event: Box<Event>, read: Read },
    Head(String),
    Reset,
}

/// What one who knows notes beside a frame: as of when the event was read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Read {
    pub lineage: u64,
    /// The head of the log then, or a later one.
    pub head: i64,
}

/// Why a socket ends.
struct Ended;

pub async fn serve(world: Arc<World>, chat: Chat, user: UserId, after: Option<Cursor>, out: UnboundedSender<Frame>) {
    let _ = talk(&world, chat, user, after, &out).await;
}

async fn talk(
    world: &World,
    chat: Chat,
    user: UserId,
    after: Option<Cursor>,
    out: &UnboundedSender<Frame>,
) -> Result<(), Ended> {
    let mut at = chat.head(user).await.map_err(|_| Ended)?;
    if world.has(Bug::ListensAfterReading) {
        let deaf = Registry::default().join(user);
        let mut feed = Feed::new(chat.clone(), user, Listener::Resumes, deaf, at);
        go_back(&mut feed, after.as_ref(), out)?;
        deliver(world, &mut feed, user, out).await?;
        at = Cursor::decode(&feed.cursor()).map_err(|_| Ended)?.at;
        return go_on(world, chat, user, None, at, out).await;
    }
    go_on(world, chat, user, after, at, out).await
}

async fn go_on(
    world: &World,
    chat: Chat,
    user: UserId,
    after: Option<Cursor>,
    at: Position,
    out: &UnboundedSender<Frame>,
) -> Result<(), Ended> {
    let subscription = chat.subscribe(user).await;
    let mut feed = Feed::new(chat.clone(), user, Listener::Resumes, subscription, at);
    out.send(Frame::Hello).map_err(|_| Ended)?;
    go_back(&mut feed, after.as_ref(), out)?;
    let mut ticks = 0;
    let mut due = !world.has(Bug::ListensAfterReading);
    loop {
        let mut again = false;
        if due {
            again = deliver(world, &mut feed, user, out).await?;
        }
        let woken = matches!(select(pin!(feed.woken()), world.sim.sleep(TICK)).await, Either::Left(_));
        if out.is_closed() {
            return Err(Ended);
        }
        ticks += u32::from(!woken);
        if !woken
            && ticks.is_multiple_of(TICKS_TO_HEAD)
            && let Ok(head) = chat.head(user).await
        {
            out.send(Frame::Head(chat.cursor(user, head))).map_err(|_| Ended)?;
        }
        due = woken || again || feed.is_behind();
    }
}

fn go_back(feed: &mut Feed, after: Option<&Cursor>, out: &UnboundedSender<Frame>) -> Result<(), Ended> {
    let Some(after) = after else { return Ok(()) };
    feed.resume(after).map_err(|e| reset(&e, out))
}

/// Tells what follows. True if it could not be read, and is to be tried again.
async fn deliver(world: &World, feed: &mut Feed, user: UserId, out: &UnboundedSender<Frame>) -> Result<bool, Ended> {
    loop {
        let lineage = world.database.lineage();
        let page = match feed.next(PAGE, HELD).await {
            Ok(page) => page,
            Err(ChatError::Reset) => return Err(reset(&ChatError::Reset, out)),
            Err(_) => return Ok(true),
        };
        if lineage != world.database.lineage() {
            // Read from one state or the other: nobody could say which.
            return Err(Ended);
        }
        let read = Read { lineage, head: world.true_head(user) };
        for event in page.events {
            out.send(Frame::Event { event: Box::new(event), read }).map_err(|_| Ended)?;
        }
        if !page.more {
            return Ok(false);
        }
    }
}

fn reset(e: &ChatError, out: &UnboundedSender<Frame>) -> Ended {
    if matches!(e, ChatError::Reset) {
        let _ = out.send(Frame::Reset);
    }
    Ended
}
