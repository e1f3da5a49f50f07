//! Which answers left a server before what they tell of was on the disk: read from the system calls of the server and
//! of its database, as strace prints them.
//!
//! A message is known by a mark in its body, `[w12]`. It is on the disk when a sync of the log ended well that began
//! after the log had been written with it; on SQLite, after the last frame of its transaction.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;

/// What is traced for it.
pub const CALLS: [&str; 4] = ["-s", "400000", "-e", "trace=pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg"];

/// The log of a database, by a part of its path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Log {
    Sqlite,
    /// Its redo log. Which of its records ends a transaction is not told apart: the row itself has to be synced.
    MariaDb,
}

/// A call that has begun.
enum Begun {
    Write { marks: Vec<String>, ends: bool },
    FrameHeader { ends: bool },
    Sync { at: u64 },
}

/// What was seen so far.
pub struct Ledger {
    log: Log,
    line: u64,
    begun: HashMap<String, Begun>,
    /// In the log, their transaction not whole yet.
    open: Vec<String>,
    /// Whether the frame that is written next ends its transaction.
    ends: bool,
    /// Wholly in the log since this line.
    written: HashMap<String, u64>,
    /// The latest beginning of a sync that ended well.
    synced: u64,
    /// Messages that were acknowledged by a 201.
    pub acknowledged: HashSet<String>,
    /// What left too early.
    pub early: Vec<String>,
}

impl Ledger {
    pub fn new(log: Log) -> Self {
        Self {
            log,
            line: 0,
            begun: HashMap::new(),
            open: Vec::new(),
            ends: false,
            written: HashMap::new(),
            synced: 0,
            acknowledged: HashSet::new(),
            early: Vec::new(),
        }
    }

    /// Makes a FIFO, and reads from it what a tracer writes until that ends.
    pub fn read_from(fifo: &Path, log: Log) -> JoinHandle<Self> {
        let made = Command::new("mkfifo").arg(fifo).status();
        assert!(made.is_ok_and(|status| status.success()), "a FIFO is made");
        let fifo = fifo.to_owned();
        std::thread::spawn(move || {
            use std::io::BufRead as _;
            let mut ledger = Self::new(log);
            let mut lines = std::io::BufReader::new(std::fs::File::open(fifo).expect("the FIFO opens"));
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).expect("the FIFO can be read") > 0 {
                ledger.take(String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
            ledger
        })
    }

    /// Takes a line of the trace.
    pub fn take(&mut self, line: &str) {
        self.line += 1;
        let Some((pid, call)) = line.split_once(' ') else { return };
        let call = call.trim_start();
        if call.starts_with("<...") {
            if let Some(begun) = self.begun.remove(pid) {
                self.end(begun, call);
            }
            return;
        }
        let Some(begun) = self.begin(call) else { return };
        if call.ends_with("<unfinished ...>") {
            self.begun.insert(pid.to_owned(), begun);
        } else {
            self.end(begun, call);
        }
    }

    fn begin(&mut self, call: &str) -> Option<Begun> {
        let (name, rest) = call.split_once('(')?;
        let of_log = rest.split_once('>').is_some_and(|(file, _)| match self.log {
            Log::Sqlite => file.ends_with("-wal"),
            Log::MariaDb => file.contains("/ib_logfile"),
        });
        match name {
            "fsync" | "fdatasync" => of_log.then_some(Begun::Sync { at: self.line }),
            "pwrite64" if of_log => {
                let bytes = text(rest);
                if self.log == Log::Sqlite && bytes.len() == 24 {
                    return Some(Begun::FrameHeader { ends: bytes[4..8] != [0; 4] });
                }
                let ends = self.log == Log::MariaDb || (self.ends && bytes.len() > 32);
                Some(Begun::Write { marks: marks(&bytes), ends })
            }
            "pwrite64" => None,
            _ => {
                self.leaves(&text(rest));
                None
            }
        }
    }

    fn end(&mut self, begun: Begun, call: &str) {
        let result = call.rsplit_once("= ").map_or("", |(_, result)| result);
        if result.starts_with('-') {
            return;
        }
        match begun {
            Begun::FrameHeader { ends } => self.ends = ends,
            Begun::Write { marks, ends } => {
                self.open.extend(marks);
                if ends {
                    for mark in self.open.drain(..) {
                        self.written.entry(mark).or_insert(self.line);
                    }
                }
            }
            Begun::Sync { at } => self.synced = self.synced.max(at),
        }
    }

    /// Bytes begin to leave a process.
    fn leaves(&mut self, bytes: &[u8]) {
        let created = bytes.starts_with(b"HTTP/1.1 201");
        // MariaDB shows to others what it has not synced yet; only an acknowledgment promises.
        if self.log == Log::MariaDb && !created {
            return;
        }
        for mark in marks(bytes) {
            if self.written.get(&mark).is_none_or(|written| *written >= self.synced) {
                let what = if created { "201" } else { "another answer or frame" };
                self.early.push(format!("{mark} in a {what}, line {}", self.line));
            }
            if created {
                self.acknowledged.insert(mark);
            }
        }
    }
}

/// The marks in it.
fn marks(bytes: &[u8]) -> Vec<String> {
    let starts = bytes.windows(2).enumerate().filter(|(_, two)| two == b"[w").map(|(at, _)| at);
    let marks = starts.filter_map(|at| {
        let rest = &bytes[at..bytes.len().min(at + 24)];
        let end = rest.iter().position(|byte| *byte == b']')?;
        Some(String::from_utf8_lossy(&rest[..=end]).into_owned())
    });
    marks.collect()
}

/// The bytes of all quoted strings of a call, one behind the other.
pub fn text(call: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(call.len());
    let (mut rest, mut quoted) = (call.as_bytes(), false);
    while let [first, more @ ..] = rest {
        rest = more;
        match (quoted, first) {
            (_, b'"') => quoted = !quoted,
            (true, b'\\') => {
                let digits = rest.iter().take(3).take_while(|byte| (b'0'..=b'7').contains(*byte)).count();
                let (escape, after) = rest.split_at(digits.max(1));
                rest = after;
                bytes.push(match escape {
                    b"n" => b'\n',
                    b"t" => b'\t',
                    b"r" => b'\r',
                    b"v" => 11,
                    b"f" => 12,
                    [other] if digits == 0 => *other,
                    octal => octal.iter().fold(0, |value: u8, digit| value.wrapping_mul(8) + (digit - b'0')),
                });
            }
            (true, other) => bytes.push(*other),
            (false, _) => {}
        }
    }
    bytes
}
