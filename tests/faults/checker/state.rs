//! I14, I16, I20, I21 and I22: privacy, read marks, recovery, ended sessions, and what the tables say.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{FINAL, Of, Told, View, Violation, broken};
use crate::history::{Op, Phase, Step};

/// A first send after healing may take so long, in microseconds.
const LIVELY: u64 = 5_000_000;
/// A session that was signed out may be heard of for so long: with a bus a second; without one the poll of sessions.
const REVOKED: u64 = 6_000_000;

pub fn check(view: &View<'_>, found: &mut Vec<Violation>) {
    private(view, found);
    read_marks(view, found);
    lively(view, found);
    revoked(view, found);
    audited(view, found);
}

/// I14: nobody sees what is between others, nor whether it exists.
fn private(view: &View<'_>, found: &mut Vec<Violation>) {
    let mut refusals = HashSet::new();
    for step in view.steps {
        for seen in &step.messages {
            if seen.user != step.user && seen.recipient != step.user {
                broken(found, "I14", || format!("{} ({}) saw {seen:?}", step.user, step.device));
            }
        }
        if step.op == Op::Probe && step.phase == Phase::Fail && step.status.is_some_and(|status| status < 500) {
            refusals.insert((step.status, step.body_hash));
        }
    }
    if refusals.len() > 1 {
        broken(found, "I14", || format!("refusals differ by what is there: {refusals:?}"));
    }
}

/// I16: a read mark never falls, is never beyond the end, and unread is what it says.
fn read_marks(view: &View<'_>, found: &mut Vec<Violation>) {
    let mut marks: Of<'_, &Arc<str>, Told> = HashMap::new();
    let mut last: Of<'_, &Arc<str>, HashSet<(i64, i64)>> = HashMap::new();
    for step in view.steps.iter().filter(|step| step.phase == Phase::Ok) {
        if step.op == Op::Audit && step.note.as_deref() == Some("put back") {
            marks.clear();
        }
        if !matches!(step.op, Op::Read | Op::Conversations) {
            continue;
        }
        let begun = view.begun.get(&step.call).copied().unwrap_or(step.t_mono);
        for (conv, read, last_seq, unread) in &step.marks {
            let before = marks.entry((&step.user, conv)).or_default();
            let due = before.iter().filter(|(when, _)| *when < begun).map(|(_, read)| *read).max().unwrap_or(0);
            if *read < due {
                broken(found, "I16", || format!("{}: {conv} was read up to {due}, then {read}", step.user));
            }
            if step.op == Op::Read && step.seq.is_some_and(|seq| seq > *read) {
                broken(found, "I16", || {
                    format!("{}: {conv} was to be read up to {:?}, and is up to {read}", step.user, step.seq)
                });
            }
            before.push((step.t_mono, *read));
            if step.op == Op::Conversations && (*read < 0 || read > last_seq) {
                broken(found, "I16", || format!("{}: {conv} is read up to {read} of {last_seq}", step.user));
            }
            if step.op == Op::Conversations && &*step.device == FINAL {
                last.entry((&step.user, conv)).or_default().insert((*read, *unread));
            }
        }
    }
    for ((user, conv), states) in last {
        if states.len() > 1 {
            broken(found, "I16", || format!("{user}: {conv} differs between processes: {states:?}"));
        }
        for (read, unread) in states {
            let from_peer = view.last.get(conv).into_iter().flat_map(|all| all.range(read + 1..));
            let count = from_peer.filter(|(_, seen)| seen.user != *user).count();
            if i64::try_from(count) != Ok(unread) {
                broken(found, "I16", || format!("{user}: {conv} says {unread} unread; there are {count}"));
            }
        }
    }
}

/// I20: after healing, sends work soon.
fn lively(view: &View<'_>, found: &mut Vec<Violation>) {
    let sends = || view.steps.iter().filter(|step| step.op == Op::Send);
    for heal in view.steps.iter().filter(|step| step.op == Op::Heal) {
        let due = heal.t_mono + LIVELY;
        let tried = sends().any(|step| step.phase == Phase::Invoke && (heal.t_mono..due).contains(&step.t_mono));
        let done = sends().any(|step| step.phase == Phase::Ok && (heal.t_mono..due).contains(&step.t_mono));
        if tried && !done {
            broken(found, "I20", || {
                format!("no send was acknowledged within 5 s of healing at {} s", heal.t_mono / 1_000_000)
            });
        }
    }
}

/// I21: a session that was signed out is told nothing more.
fn revoked(view: &View<'_>, found: &mut Vec<Violation>) {
    for out in view.steps.iter().filter(|step| step.op == Op::SignOut && step.phase == Phase::Ok) {
        let late = |step: &&Step| step.device == out.device && step.t_mono > out.t_mono + REVOKED;
        for step in view.steps.iter().filter(late) {
            let heard =
                matches!(step.op, Op::Recv | Op::Head | Op::Conn) || step.op == Op::Sync && step.phase == Phase::Ok;
            if heard && step.phase == Phase::Ok {
                broken(found, "I21", || format!("{} was signed out, and later: {step:?}", out.device));
            }
        }
        // What was asked for after it is refused, at once.
        let asked = |step: &&Step| step.device == out.device && matches!(step.op, Op::Sync | Op::Conn);
        for step in view.steps.iter().filter(asked) {
            let begun = step.begun.or_else(|| view.begun.get(&step.call).copied()).unwrap_or(0);
            if begun > out.t_mono && step.phase == Phase::Ok {
                broken(found, "I21", || format!("{} was signed out, and then answered", out.device));
            }
        }
    }
}

/// I22, and what the end of the cell found by itself.
fn audited(view: &View<'_>, found: &mut Vec<Violation>) {
    for step in view.steps.iter().filter(|step| step.op == Op::Audit && step.phase == Phase::Fail) {
        let what = step.note.as_deref().unwrap_or_default();
        let named = ["I4", "I10", "I20"].into_iter().find(|name| what.split(':').next() == Some(name));
        let invariant = named.unwrap_or("I22");
        broken(found, invariant, || what.to_owned());
    }
}
