//! A TCP proxy in front of a MySQL server that can be closed, fall silent or become slow, that can break a connection
//! at any byte, and that can lose a COMMIT or the answer to one.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

/// What happens to the next COMMIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lose {
    /// It does not reach the server.
    Commit = 1,
    /// The server does it; its answer is lost.
    Answer = 2,
    /// It does not reach the server, and the server is not told that nothing more comes: its client has vanished.
    Client = 3,
    /// It does not reach the server, and its client is told at once that the connection is gone; the server is not.
    CommitAndHold = 4,
}

/// The whole packet: its length, its number, that it is a query, the query. A message that says so is another packet.
const COMMIT: &[u8] = b"\x07\0\0\0\x03COMMIT";

struct State {
    closed: AtomicBool,
    silent: AtomicBool,
    swallowed: AtomicUsize,
    /// The next COMMIT's fate, or 0.
    armed: AtomicU8,
    /// It must follow this text on its connection: servers commit other things too, by themselves.
    after: Mutex<String>,
    bitten: AtomicUsize,
    /// How many more bytes pass to the server, and from it, before a connection breaks; negative: it has.
    fuse_up: AtomicI64,
    fuse_down: AtomicI64,
    broken: AtomicUsize,
    /// Milliseconds that each answer is held up.
    slow: AtomicU64,
    slowed: AtomicUsize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            closed: AtomicBool::default(),
            silent: AtomicBool::default(),
            swallowed: AtomicUsize::default(),
            armed: AtomicU8::default(),
            after: Mutex::default(),
            bitten: AtomicUsize::default(),
            fuse_up: AtomicI64::new(-1),
            fuse_down: AtomicI64::new(-1),
            broken: AtomicUsize::default(),
            slow: AtomicU64::default(),
            slowed: AtomicUsize::default(),
        }
    }
}

pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
    cut: broadcast::Sender<()>,
}

impl Proxy {
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State::default());
        let (cut, _) = broadcast::channel(1);
        let (shared, cutting) = (state.clone(), cut.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Dropped while closed: the client sees its connection end.
                if shared.closed.load(Ordering::Relaxed) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&target).await else { continue };
                tokio::spawn(pass(client, server, shared.clone(), cutting.subscribe()));
            }
        });
        Self { port, state, cut }
    }

    /// Ends every connection and refuses new ones.
    pub fn close(&self) {
        self.state.closed.store(true, Ordering::Relaxed);
        let _ = self.cut.send(());
    }

    pub fn open(&self) {
        self.state.closed.store(false, Ordering::Relaxed);
    }

    /// From now on nothing passes in either direction, and nobody is told: no connection ends, new ones are accepted.
    /// What was opened meanwhile, or before, never speaks again.
    pub fn fall_silent(&self) {
        self.state.silent.store(true, Ordering::Relaxed);
    }

    /// New connections pass again; those that fell silent stay so.
    pub fn speak(&self) {
        self.state.silent.store(false, Ordering::Relaxed);
    }

    /// How often something was swallowed.
    pub fn swallowed(&self) -> usize {
        self.state.swallowed.load(Ordering::Relaxed)
    }

    /// Loses the next COMMIT, or its answer, and ends that connection.
    pub fn lose(&self, what: Lose) {
        self.lose_of(what, "");
    }

    /// The same for the next COMMIT on a connection on which this text was sent before, after now.
    pub fn lose_of(&self, what: Lose, text: &str) {
        text.clone_into(&mut self.state.after.lock().expect("a text"));
        self.state.armed.store(what as u8, Ordering::Relaxed);
    }

    /// How many COMMITs have been hit.
    pub fn bitten(&self) -> usize {
        self.state.bitten.load(Ordering::Relaxed)
    }

    /// Holds up each answer for so long; zero: none.
    pub fn slow_down(&self, by: Duration) {
        self.state.slow.store(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How many answers were held up.
    pub fn slowed(&self) -> usize {
        self.state.slowed.load(Ordering::Relaxed)
    }
}

#[allow(dead_code, reason = "for tests/faults")]
impl Proxy {
    /// After so many more bytes to the server, of all connections together, the one they passed on is broken.
    pub fn break_up(&self, after: u32) {
        self.state.fuse_up.store(after.into(), Ordering::Relaxed);
    }

    /// The same for what comes from the server.
    pub fn break_down(&self, after: u32) {
        self.state.fuse_down.store(after.into(), Ordering::Relaxed);
    }

    /// How many connections were broken so.
    pub fn broken(&self) -> usize {
        self.state.broken.load(Ordering::Relaxed)
    }
}

/// What happens to a piece that passes.
enum Fate {
    Passes,
    /// So much of it passes, then the connection ends.
    Breaks(usize),
    Lost(Lose),
}

impl State {
    /// Counts a piece against the fuse; where it burns through, that much still passes.
    fn burn(&self, direction: &AtomicI64, n: usize) -> Option<usize> {
        let length = i64::try_from(n).expect("a piece is small");
        let left = direction.fetch_sub(length, Ordering::Relaxed);
        if !(0..length).contains(&left) {
            return None;
        }
        self.broken.fetch_add(1, Ordering::Relaxed);
        Some(usize::try_from(left).expect("it is not negative"))
    }

    /// `said`: whether the text was sent on this connection; asked of each piece once there is a fate.
    fn of_client(&self, piece: &[u8], said: &mut bool) -> Fate {
        *said = self.armed.load(Ordering::Relaxed) != 0
            && (*said || {
                let text = self.after.lock().expect("a text");
                text.is_empty() || piece.windows(text.len()).any(|part| part == text.as_bytes())
            });
        if *said && piece.ends_with(COMMIT) {
            let fate = match self.armed.swap(0, Ordering::Relaxed) {
                1 => Some(Lose::Commit),
                2 => Some(Lose::Answer),
                3 => Some(Lose::Client),
                4 => Some(Lose::CommitAndHold),
                _ => None,
            };
            if let Some(fate) = fate {
                self.bitten.fetch_add(1, Ordering::Relaxed);
                return Fate::Lost(fate);
            }
        }
        self.burn(&self.fuse_up, piece.len()).map_or(Fate::Passes, Fate::Breaks)
    }

    async fn slow(&self) {
        let slow = self.slow.load(Ordering::Relaxed);
        if slow > 0 {
            self.slowed.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(slow)).await;
        }
    }
}

async fn pass(client: TcpStream, server: TcpStream, state: Arc<State>, mut cut: broadcast::Receiver<()>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut swallow = false;
    let mut silent = false;
    let mut said = false;
    loop {
        silent |= state.silent.load(Ordering::Relaxed);
        tokio::select! {
            _ = cut.recv() => return,
            read = from_client.read(&mut up) => {
                let Ok(n @ 1..) = read else {
                    if silent || state.silent.load(Ordering::Relaxed) {
                        // The server is not told that its client has gone.
                        let _ = cut.recv().await;
                    }
                    return;
                };
                silent |= state.silent.load(Ordering::Relaxed);
                if silent {
                    state.swallowed.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                match state.of_client(&up[..n], &mut said) {
                    Fate::Passes => {}
                    Fate::Breaks(part) => {
                        let _ = to_server.write_all(&up[..part]).await;
                        return;
                    }
                    Fate::Lost(Lose::Commit) => return,
                    Fate::Lost(Lose::Answer) => swallow = true,
                    Fate::Lost(Lose::Client) => {
                        silent = true;
                        continue;
                    }
                    Fate::Lost(Lose::CommitAndHold) => {
                        drop((from_client, to_client));
                        let _ = cut.recv().await;
                        return;
                    }
                }
                if to_server.write_all(&up[..n]).await.is_err() {
                    return;
                }
            }
            read = from_server.read(&mut down) => {
                let Ok(n @ 1..) = read else { return };
                silent |= state.silent.load(Ordering::Relaxed);
                if silent {
                    continue;
                }
                let part = if swallow { Some(0) } else { state.burn(&state.fuse_down, n) };
                state.slow().await;
                if to_client.write_all(&down[..part.unwrap_or(n)]).await.is_err() || part.is_some() {
                    return;
                }
            }
        }
    }
}
