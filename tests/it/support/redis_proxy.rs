//! A proxy in front of Redis that knows what is published through it, and can lose, double or delay each word of it;
//! or it keeps from listeners whatever Redis says to them. Commands keep their answers and their order: a word that is
//! lost goes to a channel that nobody listens to, and what comes later or twice is published by the proxy itself.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use redis::aio::MultiplexedConnection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of words that are published.
#[derive(Clone, Copy, Debug, Default)]
pub enum Fate {
    #[default]
    Pass,
    /// So many of a hundred are lost.
    Lose(u32),
    /// So many of a hundred come twice.
    Double(u32),
    /// Each comes so much later.
    Delay(Duration),
    /// Each comes later, by any time up to this: they overtake each other.
    Shuffle(Duration),
}

struct State {
    fate: Mutex<Fate>,
    rng: Mutex<SmallRng>,
    deaf: AtomicBool,
    hit: AtomicU64,
    withheld: AtomicU64,
    own: MultiplexedConnection,
}

pub struct RedisProxy {
    pub port: u16,
    state: Arc<State>,
}

impl RedisProxy {
    /// One whose choices the seed repeats, word by word.
    pub async fn to(port: u16, seed: u64) -> Self {
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).expect("an address");
        let own = super::until("Redis to listen", Duration::from_secs(10), || async {
            client.get_multiplexed_async_connection().await.ok()
        });
        let state = Arc::new(State {
            fate: Mutex::default(),
            rng: Mutex::new(SmallRng::seed_from_u64(seed)),
            deaf: AtomicBool::default(),
            hit: AtomicU64::default(),
            withheld: AtomicU64::default(),
            own: own.await,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own_port = listener.local_addr().expect("an address").port();
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                tokio::spawn(pass(client, server, shared.clone()));
            }
        });
        Self { port: own_port, state }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn set(&self, fate: Fate) {
        *self.state.fate.lock().unwrap() = fate;
    }

    /// How many words did not pass as they came.
    pub fn hit(&self) -> u64 {
        self.state.hit.load(Ordering::Relaxed)
    }

    /// From now on nothing comes back on connections that have subscribed, for ever; no connection ends, and new ones
    /// are the same until [`Self::hear`].
    pub fn fall_deaf(&self) {
        self.state.deaf.store(true, Ordering::Relaxed);
    }

    /// New connections hear again.
    pub fn hear(&self) {
        self.state.deaf.store(false, Ordering::Relaxed);
    }

    /// How many pieces were kept from listeners.
    pub fn withheld(&self) -> u64 {
        self.state.withheld.load(Ordering::Relaxed)
    }
}

async fn pass(client: TcpStream, server: TcpStream, state: Arc<State>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let listens = AtomicBool::default();
    tokio::select! {
        () = up(from_client, to_server, &state, &listens) => {}
        () = down(from_server, to_client, &state, &listens) => {}
    }
}

async fn up(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &Arc<State>, listens: &AtomicBool) {
    let mut bytes = Vec::new();
    while let Ok(1..) = from.read_buf(&mut bytes).await {
        let mut out = Vec::new();
        while let Some(parts) = command(&bytes) {
            let end = parts.last().map_or(0, |part| part.end + 2);
            let name = bytes[parts[0].clone()].to_ascii_uppercase();
            if name == b"SUBSCRIBE" {
                listens.store(true, Ordering::Relaxed);
            }
            let passes = name != b"PUBLISH" || state.passes(&bytes[parts[1].clone()], &bytes[parts[2].clone()]);
            if passes {
                out.extend_from_slice(&bytes[..end]);
            } else {
                out.extend_from_slice(b"*3\r\n$7\r\nPUBLISH\r\n$6\r\nnobody\r\n$1\r\n0\r\n");
            }
            bytes.drain(..end);
        }
        if to.write_all(&out).await.is_err() {
            return;
        }
    }
}

async fn down(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State, listens: &AtomicBool) {
    let mut bytes = vec![0; 64 * 1024];
    let mut deaf = false;
    while let Ok(n @ 1..) = from.read(&mut bytes).await {
        deaf |= listens.load(Ordering::Relaxed) && state.deaf.load(Ordering::Relaxed);
        if deaf {
            state.withheld.fetch_add(1, Ordering::Relaxed);
        } else if to.write_all(&bytes[..n]).await.is_err() {
            return;
        }
    }
}

impl State {
    /// Whether a word goes on as it came.
    fn passes(&self, channel: &[u8], word: &[u8]) -> bool {
        let fate = *self.fate.lock().unwrap();
        let mut rng = self.rng.lock().unwrap();
        let mut chance = |percent: u32| rng.random_range(0..100) < percent;
        let (later, passes) = match fate {
            Fate::Lose(percent) if chance(percent) => (None, false),
            Fate::Double(percent) if chance(percent) => (Some(Duration::ZERO), true),
            Fate::Pass | Fate::Lose(_) | Fate::Double(_) => return true,
            Fate::Delay(by) => (Some(by), false),
            Fate::Shuffle(most) => (Some(most.mul_f64(rng.random())), false),
        };
        drop(rng);
        self.hit.fetch_add(1, Ordering::Relaxed);
        if let Some(later) = later {
            let (mut own, channel, word) = (self.own.clone(), channel.to_vec(), word.to_vec());
            tokio::spawn(async move {
                tokio::time::sleep(later).await;
                // A Redis that has gone meanwhile has lost it.
                let _ = redis::cmd("PUBLISH").arg(channel).arg(word).query_async::<()>(&mut own).await;
            });
        }
        passes
    }
}

/// The parts of the first command, if it is there as a whole: an array of strings.
fn command(bytes: &[u8]) -> Option<Vec<Range<usize>>> {
    let (count, mut at) = number(bytes, 0, b'*')?;
    let mut parts = Vec::new();
    for _ in 0..count {
        let (length, start) = number(bytes, at, b'$')?;
        at = start + length + 2;
        if at > bytes.len() {
            return None;
        }
        parts.push(start..start + length);
    }
    Some(parts)
}

/// The number on the line at `at`, and where the next line begins.
fn number(bytes: &[u8], at: usize, mark: u8) -> Option<(usize, usize)> {
    let line = bytes.get(at..)?;
    let end = line.windows(2).position(|two| two == b"\r\n")?;
    assert_eq!(line[0], mark, "a client of Redis sends arrays of strings");
    let digits = std::str::from_utf8(&line[1..end]).ok()?;
    Some((digits.parse().expect("a number"), at + end + 2))
}
