//! I8 to I13, I17 and I19: what devices display, and how they resume. That the final state does not depend on
//! notifications (I19) is these same checks under a bus that loses, doubles or delays them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::restores::put_back;
use super::{Of, Told, View, Violation, broken};
use crate::history::{Op, Phase, Seen, Step};

/// What a device displayed since it last started over.
struct Display {
    /// Its log up to here is displayed.
    at: i64,
    epoch: u64,
    numbers: HashMap<Arc<str>, i64>,
    /// The positions, and what is there.
    shown: BTreeMap<i64, u64>,
    user: Arc<str>,
}

pub fn check(view: &View<'_>, found: &mut Vec<Violation>) {
    let displays = displayed(view, found);
    complete(view, &displays, found);
    stable(view, found);
    own_writes(view, found);
    monotonic(view, found);
    heads_of_sockets(view, found);
    reset_for_a_reason(view, found);
    forged(view, found);
}

/// I9 and I11: positions follow each other without a gap; each message once; in a conversation in rising order.
fn displayed(view: &View<'_>, found: &mut Vec<Violation>) -> BTreeMap<Arc<str>, Display> {
    let mut displays: BTreeMap<Arc<str>, Display> = BTreeMap::new();
    for step in view.steps.iter().filter(|step| step.phase == Phase::Ok) {
        let begins = step.op == Op::Reset || (step.op == Op::Sync && step.note.as_deref() == Some("begin"));
        if begins {
            let start = Display {
                at: step.pos.unwrap_or(0),
                epoch: step.epoch.unwrap_or(0),
                numbers: HashMap::new(),
                shown: BTreeMap::new(),
                user: step.user.clone(),
            };
            displays.insert(step.device.clone(), start);
            continue;
        }
        let pages = step.op == Op::Recv || (step.op == Op::Sync && step.note.is_none());
        let Some(display) = displays.get_mut(&step.device).filter(|_| pages) else { continue };
        if step.epoch.is_some_and(|epoch| epoch != display.epoch) {
            broken(found, "I17", || format!("{}: another lineage without a reset: {step:?}", step.device));
        }
        display.take(step, found);
    }
    displays
}

impl Display {
    fn take(&mut self, step: &Step, found: &mut Vec<Violation>) {
        let end = step.pos.unwrap_or(self.at);
        if step.op == Op::Recv && end != self.at + 1 {
            let invariant = if end <= self.at { "I11" } else { "I9" };
            broken(found, invariant, || format!("{} stood at {} and was told {end}", step.device, self.at));
        }
        let places = || step.events.iter().map(|(pos, _)| *pos);
        if step.op == Op::Sync && !places().eq(self.at + 1..=end) {
            let (at, places): (_, Vec<_>) = (self.at, places().collect());
            broken(found, "I9", || format!("{}: a page from {at} to {end} has {places:?}", step.device));
        }
        for seen in &step.messages {
            let before = self.numbers.insert(seen.conv(), seen.seq).unwrap_or(0);
            if seen.seq <= before {
                broken(found, "I11", || format!("{} displayed {} after {before}: {seen:?}", step.device, seen.seq));
            }
        }
        self.shown.extend(step.events.iter().copied());
        self.at = end;
    }
}

/// I10: in the end every device has displayed exactly what is in its user's log since it began.
fn complete(view: &View<'_>, displays: &BTreeMap<Arc<str>, Display>, found: &mut Vec<Violation>) {
    let mut whole: HashMap<&Arc<str>, BTreeMap<i64, u64>> = HashMap::new();
    let mut messages: HashMap<&Arc<str>, HashSet<i64>> = HashMap::new();
    for step in view.steps.iter().filter(|step| step.op == Op::Sync && step.device.starts_with("replay ")) {
        whole.entry(&step.user).or_default().extend(step.events.iter().copied());
        messages.entry(&step.user).or_default().extend(step.messages.iter().map(|seen| seen.id));
    }
    for device in view.devices {
        let Some(display) = displays.get(device) else { continue };
        let Some(all) = whole.get(&display.user) else { continue };
        let first = display.shown.keys().next().copied().unwrap_or(i64::MAX);
        for (pos, seen) in all.range(first..) {
            if display.shown.get(pos) != Some(seen) {
                broken(found, "I10", || format!("{device} never displayed what is at {pos} of its log"));
            }
        }
        let newest = all.keys().next_back().copied().unwrap_or(0);
        if display.at < newest {
            broken(found, "I10", || format!("{device} stands at {}, its log goes on to {newest}", display.at));
        }
    }
    // What a log tells of a user is what the conversations hold; one that was put back begins later than the devices.
    for (user, ids) in &messages {
        let missing = view.stored().filter(|seen| seen.user == **user || seen.recipient == **user);
        let missing: Vec<&Seen> = missing.filter(|seen| !ids.contains(&seen.id)).collect();
        if !missing.is_empty() && view.restores.is_empty() {
            broken(found, "I10", || format!("not in the log of {user}: {} messages, {:?}", missing.len(), missing[0]));
        }
    }
}

/// I8: whoever sees a position of a log sees the same there, at any time.
fn stable(view: &View<'_>, found: &mut Vec<Violation>) {
    let mut known: HashMap<(&Arc<str>, u64, i64), u64> = HashMap::new();
    let mut lineage = 0;
    for step in view.steps.iter().filter(|step| step.phase == Phase::Ok) {
        // A database that was put back is another one, though it does not say so.
        lineage += u64::from(step.op == Op::Audit && step.note.as_deref() == Some("put back"));
        let Some(epoch) = step.epoch else { continue };
        for (pos, here) in &step.events {
            let first = *known.entry((&step.user, epoch ^ (lineage << 1), *pos)).or_insert(*here);
            if first != *here {
                broken(found, "I8", || format!("position {pos} of {} held something else before: {step:?}", step.user));
            }
        }
    }
}

/// I12: whoever was told that a message is stored finds it, on any process.
fn own_writes(view: &View<'_>, found: &mut Vec<Violation>) {
    let mut newest: Of<'_, &Arc<str>, Told> = HashMap::new();
    for step in view.steps {
        if let Some(copy) = put_back(step) {
            for ((_, conv), seen) in &mut newest {
                seen.retain(|(_, seq)| copy.get(*conv).is_some_and(|length| seq <= length));
            }
        }
        let Some(conv) = &step.conv else { continue };
        let of = newest.entry((&step.user, conv)).or_default();
        if step.op == Op::Send && step.phase == Phase::Ok {
            of.push((step.t_mono, step.seq.unwrap_or(0)));
        }
        let from_the_end = step.note.as_deref().is_some_and(|part| part.starts_with("before_seq=9000000000"));
        if step.op == Op::List && step.phase == Phase::Ok && from_the_end {
            let begun = view.begun.get(&step.call).copied().unwrap_or(0);
            let due = of.iter().filter(|(when, _)| *when < begun).map(|(_, seq)| *seq).max().unwrap_or(0);
            let top = step.messages.iter().map(|seen| seen.seq).max().unwrap_or(0);
            if top < due {
                broken(found, "I12", || format!("{} was told of {due} in {conv}, then listed up to {top}", step.user));
            }
        }
    }
}

/// I13: what a user has seen does not go away: neither the end of a conversation nor the head of the log.
fn monotonic(view: &View<'_>, found: &mut Vec<Violation>) {
    let mut heads: Of<'_, u64, Told> = HashMap::new();
    let mut lists: Of<'_, &Arc<str>, Told> = HashMap::new();
    let mut look = |seen: &mut Vec<(u64, i64)>, step: &Step, top: i64, what: &str| {
        let begun = view.begun.get(&step.call).copied().unwrap_or(step.t_mono);
        let before = seen.iter().filter(|(when, _)| *when < begun).map(|(_, top)| *top).max().unwrap_or(0);
        if top < before {
            broken(found, "I13", || format!("{} saw {what} at {before}, then at {top}", step.user));
        }
        seen.push((step.t_mono, top));
        // The clock only rises, and so does the highest: the rest is never asked for again.
        if seen.len() > 64 {
            let highest = seen[..32].iter().max_by_key(|(_, top)| *top).copied();
            let rest = seen.split_off(32);
            *seen = highest.into_iter().chain(rest).collect();
        }
    };
    for step in view.steps.iter().filter(|step| step.phase == Phase::Ok) {
        if step.op == Op::Audit && step.note.as_deref() == Some("put back") {
            (heads, lists) = (HashMap::new(), HashMap::new());
            continue;
        }
        // Frames arrive when they arrive; only what was asked for has a beginning.
        let tells_head = step.op == Op::Conversations || (step.op == Op::Sync && step.note.as_deref() == Some("head"));
        if let (true, Some(epoch), Some(pos)) = (tells_head, step.epoch, step.pos) {
            look(heads.entry((&step.user, epoch)).or_default(), step, pos, "the head of the log");
        }
        let from_the_end = step.note.as_deref().is_some_and(|part| part.starts_with("before_seq=9000000000"));
        if let (Op::List, true, Some(conv)) = (step.op, from_the_end, &step.conv) {
            let top = step.messages.iter().map(|seen| seen.seq).max().unwrap_or(0);
            look(lists.entry((&step.user, conv)).or_default(), step, top, "a conversation");
        }
    }
}

/// I13 on a socket: the heads that it tells only rise, and are not below what the device has.
fn heads_of_sockets(view: &View<'_>, found: &mut Vec<Violation>) {
    let mut at: HashMap<&Arc<str>, i64> = HashMap::new();
    for step in view.steps.iter().filter(|step| step.phase == Phase::Ok) {
        match step.op {
            Op::Conn | Op::Reset => drop(at.remove(&step.device)),
            Op::Recv | Op::Head => {
                let pos = step.pos.unwrap_or(0);
                let before = at.insert(&step.device, pos).unwrap_or(pos);
                if step.op == Op::Head && pos < before {
                    broken(found, "I13", || format!("{} stood at {before}, and was told of {pos}", step.device));
                }
            }
            _ => {}
        }
    }
}

/// I17: a device is told to start over when a database was put back, and never for nothing.
fn reset_for_a_reason(view: &View<'_>, found: &mut Vec<Violation>) {
    let (mut put_backs, mut resets) = (0, HashMap::<&Arc<str>, usize>::new());
    for step in view.steps {
        let refused = step.op == Op::Sync && step.status == Some(410);
        if put_back(step).is_some() {
            put_backs += 1;
        } else if step.op == Op::Reset {
            *resets.entry(&step.device).or_default() += 1;
        }
        let forged = step.note.as_deref().is_some_and(|note| note.starts_with("forged"));
        let told = resets.get(&step.device).copied().unwrap_or(0);
        if (refused && !forged && put_backs == 0) || told > put_backs {
            broken(found, "I17", || format!("{} was told to start over for no reason: {step:?}", step.device));
        }
    }
}

/// I17: a cursor that is not this database's and this user's is refused, never served.
fn forged(view: &View<'_>, found: &mut Vec<Violation>) {
    for step in view.steps.iter().filter(|step| step.op == Op::Sync && step.phase != Phase::Invoke) {
        let forged = step.note.as_deref().is_some_and(|note| note.starts_with("forged"));
        if forged && step.status.is_some_and(|status| status != 410) {
            broken(found, "I17", || format!("{:?} was answered {:?}", step.note, step.status));
        }
    }
}
