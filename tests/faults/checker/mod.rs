//! Reads a history and says which invariant it breaks. Knows nothing of how chatd works: only what clients did and saw.

mod delivery;
mod messages;
pub mod restores;
mod state;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::history::{Op, Phase, Seen, Step};
use restores::Restore;

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    /// `I1` to `I22`.
    pub invariant: &'static str,
    pub what: String,
}

/// Tries of one send, by the sender's key.
pub struct Send<'a> {
    pub conv: Arc<str>,
    pub device: Arc<str>,
    /// Of the first content: a try with other content is not a try of this send.
    pub body_hash: u64,
    pub tries: Vec<Try<'a>>,
}

pub struct Try<'a> {
    pub begun: &'a Step,
    /// None: it never ended.
    pub ended: Option<&'a Step>,
    /// What it stored was lost when a copy of the database was put back.
    pub taken_back: bool,
}

impl Send<'_> {
    pub fn first_begun(&self) -> u64 {
        self.tries[0].begun.t_mono
    }

    /// The outcomes of tries that were acknowledged, and still count.
    pub fn oks(&self) -> impl Iterator<Item = &Step> {
        self.tries
            .iter()
            .filter(|one| !one.taken_back)
            .filter_map(|one| one.ended)
            .filter(|step| step.phase == Phase::Ok)
    }

    pub fn first_ok(&self) -> Option<&Step> {
        self.oks().min_by_key(|step| step.t_mono)
    }

    /// Whether its key was free again for something else.
    pub fn was_taken_back(&self) -> bool {
        self.tries.iter().any(|one| one.taken_back)
    }

    /// Whether every try certainly had no effect.
    pub fn failed(&self) -> bool {
        self.tries.iter().all(|one| one.ended.is_some_and(|step| step.phase == Phase::Fail))
    }
}

pub type Key = (Arc<str>, Arc<str>);

/// What was seen of each user's conversations, or of a log: by user and what it is of.
pub type Of<'a, What, Seen> = HashMap<(&'a Arc<str>, What), Seen>;

/// What was told when.
pub type Told = Vec<(u64, i64)>;

/// Somebody at a process, in the end.
pub type Reader = (Arc<str>, u8);

/// A history, sorted out.
pub struct View<'a> {
    pub steps: &'a [Step],
    pub sends: HashMap<Key, Send<'a>>,
    /// Tries with a key that was used for something else before.
    pub clashes: Vec<Try<'a>>,
    /// The final lists: conversation, then number, as anybody read it in the end.
    pub last: BTreeMap<Arc<str>, BTreeMap<i64, Seen>>,
    /// The same for each reader: the numbers that they were shown.
    pub shown: BTreeMap<(Reader, Arc<str>), BTreeSet<i64>>,
    /// The lists of conversations in the end: `last_seq` of each.
    pub lengths: BTreeMap<Reader, BTreeMap<Arc<str>, i64>>,
    /// When each call began.
    pub begun: HashMap<u64, u64>,
    /// Devices that listened to the end.
    pub devices: &'a [Arc<str>],
    restores: Vec<Restore>,
}

/// The device that reads everything in the end.
const FINAL: &str = "final";

impl<'a> View<'a> {
    fn new(steps: &'a [Step], devices: &'a [Arc<str>]) -> Self {
        let mut ends = HashMap::new();
        for step in steps.iter().filter(|step| step.call != 0 && step.phase != Phase::Invoke) {
            ends.insert(step.call, step);
        }
        let begun =
            steps.iter().filter(|step| step.phase == Phase::Invoke).map(|step| (step.call, step.t_mono)).collect();
        let mut view = View {
            steps,
            sends: HashMap::new(),
            clashes: Vec::new(),
            last: BTreeMap::new(),
            shown: BTreeMap::new(),
            lengths: BTreeMap::new(),
            begun,
            devices,
            restores: Restore::all(steps),
        };
        for step in steps {
            match (step.op, step.phase) {
                (Op::Send, Phase::Invoke) => view.add_send(step, ends.get(&step.call).copied()),
                (Op::List, Phase::Ok) if &*step.device == FINAL => {
                    for seen in &step.messages {
                        view.last.entry(seen.conv()).or_default().insert(seen.seq, seen.clone());
                        let reader = (step.user.clone(), step.proc);
                        view.shown.entry((reader, seen.conv())).or_default().insert(seen.seq);
                    }
                }
                (Op::Conversations, Phase::Ok) if &*step.device == FINAL => {
                    let list = view.lengths.entry((step.user.clone(), step.proc)).or_default();
                    list.extend(step.marks.iter().map(|(conv, _, last_seq, _)| (conv.clone(), *last_seq)));
                }
                _ => {}
            }
        }
        view
    }

    fn add_send(&mut self, begun: &'a Step, ended: Option<&'a Step>) {
        let (Some(key), Some(conv), Some(body_hash)) = (&begun.client_id, &begun.conv, begun.body_hash) else { return };
        let send = self.sends.entry((begun.user.clone(), key.clone())).or_insert_with(|| Send {
            conv: conv.clone(),
            device: begun.device.clone(),
            body_hash,
            tries: Vec::new(),
        });
        let ok = ended.filter(|step| step.phase == Phase::Ok);
        let taken_back = ok.is_some_and(|ok| self.restores.iter().any(|restore| restore.takes_back(ok)));
        let one = Try { begun, ended, taken_back };
        if send.body_hash == body_hash && send.conv == *conv {
            send.tries.push(one);
        } else {
            self.clashes.push(one);
        }
    }

    /// Every message of the end.
    pub fn stored(&self) -> impl Iterator<Item = &Seen> {
        self.last.values().flat_map(BTreeMap::values)
    }
}

/// What a history breaks; nothing if all is well. `devices` listened to the end.
pub fn check(steps: &[Step], devices: &[Arc<str>]) -> Vec<Violation> {
    let view = View::new(steps, devices);
    let mut found = Vec::new();
    messages::check(&view, &mut found);
    delivery::check(&view, &mut found);
    state::check(&view, &mut found);
    found
}

/// Notes a violation; of each invariant a few are enough.
fn broken(found: &mut Vec<Violation>, invariant: &'static str, what: impl FnOnce() -> String) {
    const ENOUGH: usize = 5;
    if found.iter().filter(|violation| violation.invariant == invariant).count() < ENOUGH {
        let what = what();
        let short = what.char_indices().nth(800).map_or(what.len(), |(at, _)| at);
        found.push(Violation { invariant, what: what[..short].to_owned() });
    }
}
