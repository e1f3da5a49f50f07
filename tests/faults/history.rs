//! What clients did and saw, step by step, on one monotonic clock: all that the checker knows.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Send,
    /// An event came over a socket.
    Recv,
    /// A page of a conversation.
    List,
    /// A user's conversations.
    Conversations,
    /// A page of the log.
    Sync,
    /// The newest place of the log, as a snapshot or a `head` frame tells it.
    Head,
    /// Moves a read mark.
    Read,
    Conn,
    Close,
    /// A device was told to start over: what it displays from here on is a new log.
    Reset,
    /// Asks for what it must not have.
    Probe,
    SignOut,
    /// All faults are over (written by the nemesis).
    Heal,
    /// A look at the database itself.
    Audit,
}

/// How far it came. `Fail` certainly had no effect; of `Info` nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// A message as a client saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    pub id: i64,
    pub seq: i64,
    pub user: Arc<str>,
    pub recipient: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Arc<str>>,
    pub body_hash: u64,
    pub version: i64,
    /// Of the whole object.
    pub digest: u64,
    /// Its place in the log, where it was seen there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pos: Option<i64>,
}

impl Seen {
    pub fn new(message: &Value, pos: Option<i64>) -> Self {
        let text = |name: &str| Arc::from(message[name].as_str().unwrap_or_default());
        let number = |name: &str| message[name].as_i64().unwrap_or(-1);
        Self {
            id: number("id"),
            seq: number("seq"),
            user: text("user"),
            recipient: text("recipient"),
            client_id: message["client_id"].as_str().map(Arc::from),
            body_hash: hash(message["body"].as_str().unwrap_or_default()),
            version: number("version"),
            digest: hash(&message.to_string()),
            pos,
        }
    }

    pub fn conv(&self) -> Arc<str> {
        conv(&self.user, &self.recipient)
    }

    /// What names the send: the sender's key, or for one without a key its body, which no other has.
    pub fn key(&self) -> (Arc<str>, Arc<str>) {
        let key = self.client_id.clone().unwrap_or_else(|| unkeyed(self.body_hash));
        (self.user.clone(), key)
    }
}

/// The name of a conversation: its two people in order.
pub fn conv(a: &str, b: &str) -> Arc<str> {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    Arc::from(format!("{low}|{high}"))
}

pub fn unkeyed(body_hash: u64) -> Arc<str> {
    Arc::from(format!("body:{body_hash:016x}"))
}

/// FNV-1a: equal texts are equal; that is all it is for.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// One line of the history.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Microseconds since the cell began.
    pub t_mono: u64,
    /// The server that was asked.
    pub proc: u8,
    pub op: Op,
    pub phase: Phase,
    /// Joins an outcome to its invocation.
    pub call: u64,
    /// When a handshake that succeeded was begun: it has no invocation of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begun: Option<u64>,
    pub user: Arc<str>,
    pub device: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conv: Option<Arc<str>>,
    /// The sender's key, or what stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_hash: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pos: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Messages that came with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Seen>,
    /// The read state that came with it: conversation, `read_seq`, `last_seq` (0 where it is not told), `unread`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<(Arc<str>, i64, i64, i64)>,
    /// The events of a log that came with it: their positions, and what stands for their content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<(i64, u64)>,
    /// What kind of probe, why a socket closed, what an audit found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Arc<str>>,
}

impl Step {
    pub fn new(op: Op, phase: Phase, call: u64, user: &Arc<str>, device: &Arc<str>) -> Self {
        Self {
            t_mono: 0,
            proc: 0,
            op,
            phase,
            call,
            begun: None,
            user: user.clone(),
            device: device.clone(),
            conv: None,
            client_id: None,
            body_hash: None,
            id: None,
            seq: None,
            pos: None,
            epoch: None,
            status: None,
            messages: Vec::new(),
            marks: Vec::new(),
            events: Vec::new(),
            note: None,
        }
    }

    pub fn note(mut self, note: impl Into<Arc<str>>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// Where all clients of a cell write. Its order is that of the clock.
pub struct History {
    steps: Mutex<Vec<Step>>,
    calls: AtomicU64,
    acknowledged: AtomicU64,
    unknown: AtomicU64,
    begun: Instant,
}

impl Default for History {
    fn default() -> Self {
        let zero = AtomicU64::default;
        Self {
            steps: Mutex::default(),
            calls: AtomicU64::new(1),
            acknowledged: zero(),
            unknown: zero(),
            begun: Instant::now(),
        }
    }
}

impl History {
    /// A number for one call.
    pub fn call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    /// The time on the clock of its steps.
    pub fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The same as a span.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// How many steps since then are such.
    pub fn count(&self, since: u64, such: impl Fn(&Step) -> bool) -> u64 {
        let steps = self.steps.lock().unwrap();
        let late = steps.partition_point(|step| step.t_mono < since);
        steps[late..].iter().filter(|step| such(step)).count() as u64
    }

    /// Notes a step that happens now.
    pub fn add(&self, mut step: Step) {
        match (step.op, step.phase) {
            (Op::Send, Phase::Ok) => drop(self.acknowledged.fetch_add(1, Ordering::Relaxed)),
            (Op::Send, Phase::Info) => drop(self.unknown.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
        let mut steps = self.steps.lock().unwrap();
        step.t_mono = self.now();
        steps.push(step);
    }

    pub fn steps(&self) -> Vec<Step> {
        self.steps.lock().unwrap().clone()
    }

    /// Sends that have been acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Tries to send of which nobody knew what came of them.
    pub fn unknown(&self) -> u64 {
        self.unknown.load(Ordering::Relaxed)
    }

    /// The nemesis says that all faults are over.
    pub fn heal(&self) {
        let nobody = Arc::from("");
        self.add(Step::new(Op::Heal, Phase::Ok, 0, &nobody, &nobody));
    }

    /// One JSON line a step.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        for step in self.steps.lock().unwrap().iter() {
            serde_json::to_writer(&mut file, step)?;
            file.write_all(b"\n")?;
        }
        file.flush()
    }
}
