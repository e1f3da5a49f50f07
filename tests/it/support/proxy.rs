//! A TCP proxy in front of a database that can be closed or fall silent, and that can lose a COMMIT or the answer to
//! one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

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

#[derive(Default)]
struct State {
    closed: AtomicBool,
    silent: AtomicBool,
    swallowed: AtomicUsize,
    /// The next COMMIT's fate, or 0.
    armed: AtomicU8,
    bitten: AtomicUsize,
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
        self.state.armed.store(what as u8, Ordering::Relaxed);
    }

    /// How many COMMITs have been hit.
    pub fn bitten(&self) -> usize {
        self.state.bitten.load(Ordering::Relaxed)
    }
}

async fn pass(client: TcpStream, server: TcpStream, state: Arc<State>, mut cut: broadcast::Receiver<()>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut up, mut down) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut swallow = false;
    let mut silent = false;
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
                if up[..n].windows(6).any(|w| w == b"COMMIT") {
                    let fate = state.armed.swap(0, Ordering::Relaxed);
                    if fate != 0 {
                        state.bitten.fetch_add(1, Ordering::Relaxed);
                    }
                    if fate == Lose::Commit as u8 {
                        return;
                    }
                    if fate == Lose::CommitAndHold as u8 {
                        drop((from_client, to_client));
                        let _ = cut.recv().await;
                        return;
                    }
                    if fate == Lose::Client as u8 {
                        silent = true;
                        continue;
                    }
                    swallow = fate == Lose::Answer as u8;
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
                if swallow || to_client.write_all(&down[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}
