//! What a disk may hold after the power failed: read from the system calls of a server, as strace prints them.
//!
//! A write is certain when a sync of its file that began after it has ended; until then it may be there, be missing, or
//! be torn at sectors, whatever became of the writes around it. A name is certain when its directory was synced.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rand::Rng as _;
use rand::rngs::SmallRng;
use serde_json::Value;

use crate::durable::text;

/// What is traced for it.
pub const CALLS: &str = "trace=openat,pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync,ftruncate,unlink,unlinkat";

const SECTOR: usize = 512;

/// A step of the server.
pub enum Event {
    Write {
        file: String,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: String,
        length: usize,
    },
    Create {
        file: String,
    },
    Unlink {
        file: String,
    },
    SyncBegins {
        call: usize,
        file: String,
    },
    SyncEnds {
        call: usize,
    },
    /// A 201 begins to leave.
    Acknowledged(Value),
}

/// The steps of a trace that concern the files of a directory, which itself is called by an empty name; and the
/// acknowledgments.
pub fn events(trace: &str, dir: &Path) -> Vec<Event> {
    let dir = dir.display().to_string();
    let mut reader = Reader { dir: &dir, begun: HashMap::new(), events: Vec::new() };
    for (number, line) in trace.lines().enumerate() {
        reader.take(number, line);
    }
    reader.events
}

struct Reader<'a> {
    dir: &'a str,
    /// By thread: the call, and its number if it is a sync.
    begun: HashMap<&'a str, (&'a str, Option<usize>)>,
    events: Vec<Event>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, number: usize, line: &'a str) {
        let Some((pid, call)) = line.split_once(' ') else { return };
        let call = call.trim_start();
        if call.starts_with("<...") {
            if let Some((begun, sync)) = self.begun.remove(pid) {
                self.end(begun, call, sync);
            }
            return;
        }
        let sync = self.begin(number, call);
        if call.ends_with("<unfinished ...>") {
            self.begun.insert(pid, (call, sync));
        } else {
            self.end(call, call, sync);
        }
    }

    fn begin(&mut self, number: usize, call: &str) -> Option<usize> {
        let (name, rest) = call.split_once('(')?;
        match name {
            "fsync" | "fdatasync" => {
                let file = self.descriptor(rest)?;
                self.events.push(Event::SyncBegins { call: number, file });
                Some(number)
            }
            "write" | "writev" | "sendto" | "sendmsg" => {
                let bytes = text(rest);
                let answer = bytes.starts_with(b"HTTP/1.1 201").then(|| String::from_utf8_lossy(&bytes).into_owned());
                let message = answer.as_deref().and_then(|answer| answer.split_once("\r\n\r\n"));
                let message = message.and_then(|(_, body)| serde_json::from_str(body).ok());
                self.events.extend(message.map(Event::Acknowledged));
                None
            }
            _ => None,
        }
    }

    fn end(&mut self, begun: &str, ended: &str, sync: Option<usize>) {
        let result = ended.rsplit_once(" = ").map_or("-1", |(_, result)| result);
        if result.starts_with('-') {
            return;
        }
        let Some((name, rest)) = begun.split_once('(') else { return };
        let event = match (name, sync) {
            (_, Some(call)) => Some(Event::SyncEnds { call }),
            ("pwrite64", _) => self.descriptor(rest).map(|file| {
                let written = result.split(' ').next().and_then(|n| n.parse().ok()).expect("a length");
                let mut bytes = text(rest);
                bytes.truncate(written);
                Event::Write { file, at: last_number(rest), bytes }
            }),
            ("ftruncate", _) => self.descriptor(rest).map(|file| Event::Truncate { file, length: last_number(rest) }),
            ("openat", _) if rest.contains("O_CREAT") => self.named(rest).map(|file| Event::Create { file }),
            ("unlink" | "unlinkat", _) => self.named(rest).map(|file| Event::Unlink { file }),
            _ => None,
        };
        self.events.extend(event);
    }

    /// The file that the first argument, a descriptor with its path, stands for.
    fn descriptor(&self, rest: &str) -> Option<String> {
        let path = rest.split_once('<')?.1.split_once('>')?.0;
        self.inside(path)
    }

    /// The file that the first quoted argument names.
    fn named(&self, rest: &str) -> Option<String> {
        self.inside(rest.split('"').nth(1)?)
    }

    fn inside(&self, path: &str) -> Option<String> {
        let file = path.strip_prefix(self.dir)?.trim_start_matches('/');
        is_content(file).then(|| file.to_owned())
    }
}

/// Whether it matters: `-shm` is made anew by whoever opens the database, and a lock has no content.
fn is_content(file: &str) -> bool {
    ["", "chat.sqlite3", "chat.sqlite3-wal", "chat.sqlite3-journal"].contains(&file)
}

/// The last argument of a call.
fn last_number(rest: &str) -> usize {
    let digits = |c: char| !c.is_ascii_digit();
    let arguments = rest.rsplit_once(") = ").map_or(rest, |(arguments, _)| arguments);
    let arguments = arguments.trim_end_matches(" <unfinished ...>").trim_end_matches(digits);
    arguments.rsplit(digits).next().and_then(|number| number.parse().ok()).expect("a number")
}

enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Default)]
struct File {
    certain: Vec<u8>,
    changes: Vec<Change>,
}

/// How what is not certain fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Lost,
    Kept,
    /// Each by itself: kept, lost or torn.
    Chance,
}

/// A disk that remembers what is certain.
#[derive(Default)]
pub struct Disk {
    files: Vec<File>,
    /// Names, as they are now and as they are for certain, of indices into the files.
    names: BTreeMap<String, usize>,
    certain: BTreeMap<String, usize>,
    /// Syncs that have begun: the file and how much of it they cover; or the names.
    syncs: HashMap<usize, Covered>,
}

enum Covered {
    File(usize, usize),
    Names(BTreeMap<String, usize>),
}

impl Disk {
    /// The files of a directory, all certain.
    pub fn of(dir: &Path) -> Self {
        let mut disk = Self::default();
        for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_content(&name) {
                let certain = std::fs::read(entry.path()).expect("a file");
                disk.names.insert(name, disk.files.len());
                disk.files.push(File { certain, changes: Vec::new() });
            }
        }
        disk.certain = disk.names.clone();
        disk
    }

    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Write { file, at, bytes } => {
                self.change(file, Change::Write { at: *at, bytes: bytes.clone() });
            }
            Event::Truncate { file, length } => self.change(file, Change::Truncate(*length)),
            Event::Create { file } if !self.names.contains_key(file) => {
                self.names.insert(file.clone(), self.files.len());
                self.files.push(File::default());
            }
            Event::Unlink { file } => drop(self.names.remove(file)),
            Event::SyncBegins { call, file } if file.is_empty() => {
                self.syncs.insert(*call, Covered::Names(self.names.clone()));
            }
            Event::SyncBegins { call, file } => {
                if let Some(index) = self.names.get(file) {
                    self.syncs.insert(*call, Covered::File(*index, self.files[*index].changes.len()));
                }
            }
            Event::SyncEnds { call } => match self.syncs.remove(call) {
                Some(Covered::File(index, count)) => {
                    let file = &mut self.files[index];
                    let count = count.min(file.changes.len());
                    file.changes.drain(..count).for_each(|change| apply(&mut file.certain, &change, |_| true));
                }
                Some(Covered::Names(names)) => self.certain = names,
                None => {}
            },
            Event::Create { .. } | Event::Acknowledged(_) => {}
        }
    }

    fn change(&mut self, file: &str, change: Change) {
        let index = *self.names.get(file).unwrap_or_else(|| panic!("{file} is not there"));
        self.files[index].changes.push(change);
    }

    /// How many writes are not certain.
    pub fn uncertain(&self) -> usize {
        self.files.iter().map(|file| file.changes.len()).sum()
    }

    /// Writes into `dir` what may be found when the power fails now.
    pub fn fail(&self, dir: &Path, fate: Fate, rng: &mut SmallRng) {
        let kept = fate == Fate::Kept || (fate == Fate::Chance && rng.random_ratio(1, 2));
        for (name, index) in if kept { &self.names } else { &self.certain } {
            let file = &self.files[*index];
            let mut content = file.certain.clone();
            for change in &file.changes {
                match (fate, rng.random_range(0..3)) {
                    (Fate::Lost, _) | (Fate::Chance, 0) => {}
                    (Fate::Kept, _) | (Fate::Chance, 1) => apply(&mut content, change, |_| true),
                    (Fate::Chance, _) => apply(&mut content, change, |_| rng.random_ratio(1, 2)),
                }
            }
            std::fs::write(dir.join(name), content).expect("a file is written");
        }
    }
}

/// Makes a change to those sectors that it reached.
fn apply(content: &mut Vec<u8>, change: &Change, mut reached: impl FnMut(usize) -> bool) {
    match change {
        Change::Truncate(length) => content.resize(*length, 0),
        Change::Write { at, bytes } => {
            let mut done = 0;
            while done < bytes.len() {
                let from = at + done;
                let piece = (SECTOR - from % SECTOR).min(bytes.len() - done);
                if reached(from / SECTOR) {
                    content.resize(content.len().max(from + piece), 0);
                    content[from..from + piece].copy_from_slice(&bytes[done..done + piece]);
                }
                done += piece;
            }
        }
    }
}
