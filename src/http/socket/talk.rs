//! One conversation with a client: hello, the log from its cursor on, and what it says.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use rocket_ws::Message;
use rocket_ws::frame::CloseCode;
use rocket_ws::result::Error as WsError;
use rocket_ws::stream::DuplexStream;
use serde_json::json;
use tokio::time::timeout;

use super::Socket;
use super::ending::{End, FAREWELL, PATIENCE, broken, goodbye, reset, say, send};
use super::live::Live;
use super::said::{Said, said};
use super::standing::{OF_PASSING, OF_THE_LOG, Standing};
use crate::auth::NOTED_EVERY;
use crate::bus::{Signal, Stir, Subscription};
use crate::chat::{ChatError, Feed, Goodbye, Listener, OpenSocket};
use crate::domain::{Change, LogPage};
use crate::http::json::{self, EventJson};
use crate::store::StoreError;

/// Frames a second.
const MOST_FRAMES: u32 = 10;
const PING_EVERY: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_secs(50);
/// Nor has a frame then the whole time to be taken: by then a client that is gone is closed.
const GONE: Duration = Duration::from_secs(55);
/// Events of the first look at the log; of the next ones more, where that is not enough.
const FIRST_PAGE: i64 = 16;
const PAGE: i64 = 200;
/// What a socket holds of the log while its client takes it, in bytes; a single event may be longer. What is beyond is
/// read again later: a client that takes nothing must not cost much.
const HELD: usize = 32 * 1024;
/// After a failed look the next one comes this much later.
const RETRY: Duration = Duration::from_millis(500);

/// What a socket waits for.
enum Happening {
    Woken,
    Signal(Signal),
    Goodbye(Goodbye),
    Heard(Option<Result<Message, WsError>>),
    Tick,
}

/// Where one socket stands.
pub(super) struct Talk<'a> {
    socket: &'a Socket,
    open: OpenSocket,
    feed: Feed,
    /// None for a client of the predecessor.
    live: Option<Live>,
    page: i64,
    last_heard: Instant,
    last_ping: Instant,
    last_noted: Instant,
    standing: Standing<'a>,
    retry_at: Option<Instant>,
    second: Instant,
    frames: u32,
}

impl<'a> Talk<'a> {
    pub(super) fn new(socket: &'a Socket, open: OpenSocket, subscription: Subscription) -> Self {
        let now = Instant::now();
        let app = &socket.app;
        let live = socket.events.then(|| Live::new(&app.chat, &app.attending, socket.user, socket.sharing));
        let listener = if socket.events { Listener::Resumes } else { Listener::GoesOn };
        Self {
            socket,
            open,
            feed: Feed::new(socket.app.chat.clone(), socket.user, listener, subscription, socket.head),
            live,
            page: FIRST_PAGE,
            last_heard: now,
            last_ping: now,
            last_noted: now,
            standing: Standing::new(socket),
            retry_at: None,
            second: now,
            frames: 0,
        }
    }

    /// Talks until there is a reason to end.
    pub(super) async fn until_end(&mut self, stream: &mut DuplexStream) -> End {
        match self.converse(stream).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn converse(&mut self, stream: &mut DuplexStream) -> Result<std::convert::Infallible, End> {
        // It may have ended between the handshake and the subscription, when nobody here could be told.
        self.standing.look().await?;
        self.begin(stream).await?;
        let told = self.deliver(stream).await?;
        if told == 0 && self.retry_at.is_some() && self.socket.after.is_some() {
            return Err(End::Close(CloseCode::Again, "try again"));
        }
        let mut tick = tokio::time::interval(Duration::from_millis(500));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let happening = tokio::select! {
                stir = self.feed.stirred() => match stir {
                    Stir::Woken => Happening::Woken,
                    Stir::Signal(signal) => Happening::Signal(signal),
                },
                why = self.open.goodbye() => Happening::Goodbye(why),
                heard = stream.next() => Happening::Heard(heard),
                _ = tick.tick() => Happening::Tick,
            };
            match happening {
                Happening::Woken => {
                    // The wake may have meant the session, whatever else was told.
                    let woken = Instant::now();
                    let told = self.deliver(stream).await?;
                    self.standing.doubt(woken);
                    if told == 0 {
                        self.standing.look_if_due().await?;
                    }
                }
                Happening::Signal(signal) => {
                    let Some(live) = &mut self.live else { continue };
                    if let Some(text) = live.frame(signal).await
                        && self.standing.stood(&self.open, OF_PASSING).await?
                    {
                        self.tell(stream, text).await?;
                    }
                }
                Happening::Goodbye(why) => return Err(goodbye(why)),
                Happening::Heard(heard) => self.heard(stream, heard).await?,
                Happening::Tick => self.tick(stream).await?,
            }
        }
    }

    /// Says hello, and finds the place to go on from.
    async fn begin(&mut self, stream: &mut DuplexStream) -> Result<(), End> {
        // Drained while it was being opened: nobody would tell it.
        if self.socket.app.is_draining() {
            return Err(goodbye(Goodbye::Restart));
        }
        if !self.socket.events {
            return Ok(());
        }
        say(stream, json!({"type": "hello", "cursor": self.feed.cursor()}).to_string(), PATIENCE).await?;
        if let Some(after) = &self.socket.after
            && self.feed.resume(after).is_err()
        {
            return Err(reset(stream).await);
        }
        Ok(())
    }

    /// Tells everything beyond the place where this socket stands; returns how much it was.
    async fn deliver(&mut self, stream: &mut DuplexStream) -> Result<usize, End> {
        let chat = &self.socket.app.chat;
        let user = self.socket.user;
        let mut told = 0;
        self.retry_at = None;
        loop {
            let begun = Instant::now();
            let page = match self.next_page().await? {
                Ok(page) => page,
                Err(ChatError::Reset) => return Err(reset(stream).await),
                Err(e) => {
                    tracing::debug!(error = %e, "a socket cannot read its log; it tries again");
                    self.retry_at = Some(Instant::now() + RETRY);
                    return Ok(told);
                }
            };
            if page.more {
                self.was_busy(begun);
                // As many as were not too long; if none was, more.
                let taken = i64::try_from(page.events.len()).unwrap_or(PAGE);
                self.page = if taken < self.page { taken.max(1) } else { PAGE.min(self.page * 2) };
            }
            told += page.events.len();
            // As late as may be: whoever came for the log may have waited for it, with many others. What was read and is
            // not told is not told by this socket any more.
            if !page.events.is_empty() && !self.standing.stood(&self.open, OF_THE_LOG).await? {
                return Err(End::Close(CloseCode::Again, "try again"));
            }
            for event in page.events {
                // A client that reads slowly must not put off its end.
                if let Some(why) = self.open.pending_goodbye() {
                    return Err(goodbye(why));
                }
                if let (Change::Sharing(sharing), Some(live)) = (&event.change, &mut self.live) {
                    live.set_sharing(*sharing);
                }
                if self.socket.events {
                    let text = json::event_frame(&EventJson::new(chat, user, event));
                    self.tell(stream, text).await?;
                } else if let Change::MessageCreated { message, .. } = event.change {
                    // With the recorded space.
                    self.tell(stream, format!("{{\"message\": \"{}\"}}", message.id)).await?;
                }
            }
            if !page.more {
                return Ok(told);
            }
        }
    }

    /// Nothing was read meanwhile: that silence is ours. But that of before counts on, or a client that is gone and is told
    /// much would stay.
    fn was_busy(&mut self, since: Instant) {
        self.last_heard += since.elapsed();
    }

    /// How long a client may take for a frame.
    fn patience(&self) -> Duration {
        PATIENCE.min(GONE.saturating_sub(self.last_heard.elapsed()))
    }

    async fn next_page(&mut self) -> Result<Result<LogPage, ChatError>, End> {
        let turn = tokio::select! {
            turn = self.socket.app.sockets.turn() => turn,
            why = self.open.goodbye() => return Err(goodbye(why)),
        };
        match turn {
            Some(_turn) => Ok(self.feed.next(self.page, HELD).await),
            None => Ok(Err(StoreError::Unavailable("too many sockets read their logs".to_owned()).into())),
        }
    }

    /// A frame of the log. A client that does not take it does not put off its end; of a revoked session it hears no
    /// more, not even a close that it would not read either.
    async fn tell(&mut self, stream: &mut DuplexStream, text: String) -> Result<(), End> {
        let begun = Instant::now();
        let told = tokio::select! {
            biased;
            said = say(stream, text, self.patience()) => said,
            why = self.open.goodbye() => Err(if why == Goodbye::Revoked { End::Gone } else { goodbye(why) }),
        };
        self.was_busy(begun);
        told
    }

    async fn heard(&mut self, stream: &mut DuplexStream, heard: Option<Result<Message, WsError>>) -> Result<(), End> {
        self.last_heard = Instant::now();
        let message = match heard {
            None => return Err(End::Gone),
            Some(Err(e)) => return Err(broken(&e)),
            Some(Ok(message)) => message,
        };
        match said(&message) {
            Said::Goodbye => {
                // The library has its answer ready; polling on sends it.
                let _ = timeout(FAREWELL, async { while let Some(Ok(_)) = stream.next().await {} }).await;
                Err(End::Gone)
            }
            Said::Binary => Err(End::Close(CloseCode::Unsupported, "text only")),
            Said::TooLong => Err(End::Close(CloseCode::Size, "too long")),
            Said::Ping => {
                self.count_frame()?;
                if self.socket.events { say(stream, r#"{"type":"pong"}"#.to_owned(), PATIENCE).await } else { Ok(()) }
            }
            Said::Typing(peer) => {
                self.count_frame()?;
                if let Some(live) = &mut self.live {
                    live.types(&peer).await;
                }
                Ok(())
            }
            Said::Presence { active, peers } => {
                self.count_frame()?;
                if let Some(live) = &mut self.live {
                    live.attend(active, peers.as_deref()).await;
                }
                Ok(())
            }
            Said::ProtocolPing => {
                self.count_frame()?;
                timeout(PATIENCE, stream.flush()).await.map_err(|_| End::Gone)?.map_err(|_| End::Gone)
            }
            Said::Nothing => self.count_frame(),
        }
    }

    fn count_frame(&mut self) -> Result<(), End> {
        if self.second.elapsed() >= Duration::from_secs(1) {
            self.second = Instant::now();
            self.frames = 0;
        }
        self.frames += 1;
        if self.frames > MOST_FRAMES { Err(End::Close(CloseCode::Policy, "too many frames")) } else { Ok(()) }
    }

    async fn tick(&mut self, stream: &mut DuplexStream) -> Result<(), End> {
        if self.feed.is_behind() || self.retry_at.is_some_and(|at| at <= Instant::now()) {
            self.deliver(stream).await?;
        }
        self.standing.look_if_due().await?;
        if self.last_heard.elapsed() > SILENCE {
            return Err(End::Gone);
        }
        if self.last_ping.elapsed() < PING_EVERY {
            return Ok(());
        }
        self.last_ping = Instant::now();
        if self.last_noted.elapsed() > NOTED_EVERY {
            self.last_noted = Instant::now();
            self.socket.app.auth.used(&self.socket.token_hash);
        }
        send(stream, Message::Ping(Vec::new()), self.patience()).await?;
        if self.socket.events
            && let Ok(head) = self.socket.app.chat.head(self.socket.user).await
            && self.standing.stood(&self.open, OF_PASSING).await?
        {
            let cursor = self.socket.app.chat.cursor(self.socket.user, head);
            say(stream, json!({"type": "head", "cursor": cursor}).to_string(), self.patience()).await?;
        }
        Ok(())
    }
}
