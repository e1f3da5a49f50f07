//! I1 to I7, I15 and I18: what is stored, how often, and in which order.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::restores::put_back;
use super::{Send, View, Violation, broken};
use crate::history::{Op, Phase, Seen, Step};

pub fn check(view: &View<'_>, found: &mut Vec<Violation>) {
    stored_once(view, found);
    repeated(view, found);
    acknowledged(view, found);
    numbered(view, found);
    in_order(view, found);
    immutable(view, found);
    replayed(view, found);
}

/// I2, I3, I18: everything stored was sent, once, and not by a send that failed.
fn stored_once(view: &View<'_>, found: &mut Vec<Violation>) {
    let (mut keys, mut ids) = (HashMap::new(), HashMap::new());
    for seen in view.stored() {
        let key = seen.key();
        match view.sends.get(&key) {
            None => broken(found, "I2", || format!("nobody sent {seen:?}")),
            Some(send) if send.failed() => {
                broken(found, "I18", || format!("a send that failed was stored: {seen:?}"));
            }
            // The key of what was lost with an earlier database may have been used for something else.
            Some(send) if send.body_hash != seen.body_hash && !(send.was_taken_back() && clashed(view, seen)) => {
                broken(found, "I1", || format!("stored with another body: {seen:?}"));
            }
            Some(send) if send.conv != seen.conv() && !send.was_taken_back() => {
                broken(found, "I2", || format!("sent in {}, and stored elsewhere: {seen:?}", send.conv));
            }
            Some(_) => {}
        }
        if let Some(other) = keys.insert(key, (seen.conv(), seen.seq)) {
            broken(found, "I3", || format!("stored twice: {seen:?} and {other:?}"));
        }
        if let Some(other) = ids.insert(seen.id, (seen.conv(), seen.seq)) {
            broken(found, "I3", || format!("one id for two: {seen:?} and {other:?}"));
        }
    }
}

/// I18: what is called a repeat repeats something: an earlier try had, or may have had, an effect.
fn repeated(view: &View<'_>, found: &mut Vec<Violation>) {
    for ((user, key), send) in &view.sends {
        let Some(ok) = send.first_ok().filter(|ok| ok.status == Some(200)) else { continue };
        let mut earlier = send.tries.iter().filter(|one| one.begun.t_mono < ok.t_mono && one.begun.call != ok.call);
        if earlier.all(|one| one.ended.is_some_and(|step| step.phase == Phase::Fail)) {
            broken(found, "I18", || format!("{user} {key} had failed each time, and is called a repeat: {ok:?}"));
        }
    }
}

/// Whether its key was tried with this body after it had been used for another one.
fn clashed(view: &View<'_>, seen: &Seen) -> bool {
    let (user, key) = seen.key();
    let tries = view.clashes.iter().map(|clash| clash.begun);
    tries
        .filter(|step| step.user == user && step.client_id.as_ref() == Some(&key))
        .any(|step| step.body_hash == Some(seen.body_hash))
}

/// I1: what was acknowledged is there, as it was acknowledged.
fn acknowledged(view: &View<'_>, found: &mut Vec<Violation>) {
    for ((user, key), send) in &view.sends {
        let Some(ok) = send.first_ok() else { continue };
        let there = ok.seq.and_then(|seq| view.last.get(&send.conv)?.get(&seq));
        let same = there.is_some_and(|seen| Some(seen.id) == ok.id && seen.key() == (user.clone(), key.clone()));
        if !same {
            broken(found, "I1", || {
                format!("{user} {key} in {} was acknowledged as {ok:?}; there: {there:?}", send.conv)
            });
        }
    }
}

/// I4: numbers from 1 without a gap, the same for both people and at every process.
fn numbered(view: &View<'_>, found: &mut Vec<Violation>) {
    let mut longest: BTreeMap<&Arc<str>, i64> = BTreeMap::new();
    for (conv, length) in view.lengths.values().flatten() {
        let known = longest.entry(conv).or_default();
        *known = (*length).max(*known);
    }
    let nothing = BTreeSet::new();
    for (reader, list) in &view.lengths {
        let (user, process) = reader;
        for (conv, length) in longest.iter().filter(|(conv, _)| conv.split('|').any(|one| one == &**user)) {
            let told = list.get(*conv).copied().unwrap_or(0);
            if told != *length {
                broken(found, "I4", || format!("{conv} has {length}; {user} is told of {told} at process {process}"));
            }
            let seqs = view.shown.get(&(reader.clone(), (*conv).clone())).unwrap_or(&nothing);
            if !seqs.iter().copied().eq(1..=*length) {
                broken(found, "I4", || {
                    let count = seqs.len();
                    format!("{conv} has 1 to {length}; {user} is shown {count} at process {process}: {seqs:?}")
                });
            }
        }
    }
}

/// I5: what was acknowledged before another was begun stands before it. I6: the same for one device, in its own order.
fn in_order(view: &View<'_>, found: &mut Vec<Violation>) {
    let mut convs: HashMap<&Arc<str>, Vec<(&Send<'_>, &Step)>> = HashMap::new();
    for send in view.sends.values() {
        if let Some(ok) = send.first_ok() {
            convs.entry(&send.conv).or_default().push((send, ok));
        }
    }
    for (conv, mut sends) in convs {
        sends.sort_by_key(|(_, ok)| ok.t_mono);
        let mut begins: Vec<_> = sends.clone();
        begins.sort_by_key(|(send, _)| send.first_begun());
        let (mut ended, mut highest) = (sends.iter().peekable(), 0);
        let mut devices: HashMap<&Arc<str>, i64> = HashMap::new();
        for (send, ok) in begins {
            while let Some((_, before)) = ended.next_if(|(_, before)| before.t_mono < send.first_begun()) {
                highest = highest.max(before.seq.unwrap_or(0));
            }
            let seq = ok.seq.unwrap_or(0);
            if seq <= highest {
                broken(found, "I5", || format!("{conv}: {seq} was begun after {highest} was acknowledged"));
            }
            let before = devices.insert(&send.device, seq).unwrap_or(0);
            if seq <= before {
                broken(found, "I6", || format!("{conv}: {} sent {seq} after {before}", send.device));
            }
        }
    }
}

/// I7: a message is the same whoever looks at it, and its version only rises.
fn immutable(view: &View<'_>, found: &mut Vec<Violation>) {
    let mut known: HashMap<(Arc<str>, i64, i64), (u64, &Seen)> = HashMap::new();
    let mut versions: HashMap<(&Arc<str>, i64), i64> = HashMap::new();
    for step in view.steps.iter().filter(|step| step.phase == Phase::Ok) {
        if let Some(copy) = put_back(step) {
            known.retain(|(conv, seq, _), _| copy.get(conv).is_some_and(|length| seq <= length));
            versions.clear();
        }
        for seen in &step.messages {
            let digest = |seen: &Seen| (seen.id, seen.digest);
            let (_, first) = *known.entry((seen.conv(), seen.seq, seen.version)).or_insert((seen.digest, seen));
            if digest(first) != digest(seen) {
                broken(found, "I7", || format!("{} saw {seen:?}, and somebody {first:?}", step.device));
            }
            let version = versions.entry((&step.device, seen.id)).or_insert(seen.version);
            if seen.version < *version {
                broken(found, "I7", || format!("{} saw {seen:?} after version {version}", step.device));
            }
            *version = seen.version;
        }
    }
}

/// I15: the same send is always answered with the same message; the same key for something else is refused.
fn replayed(view: &View<'_>, found: &mut Vec<Violation>) {
    for ((user, key), send) in &view.sends {
        let answers: HashSet<_> = send.oks().map(|step| (step.id, step.seq)).collect();
        if answers.len() > 1 {
            broken(found, "I15", || format!("{user} {key} was acknowledged as {answers:?}"));
        }
        let created = send.oks().filter(|step| step.status == Some(201)).count();
        if created > 1 {
            broken(found, "I15", || format!("{user} {key} was created {created} times"));
        }
    }
    for clash in &view.clashes {
        let key = (clash.begun.user.clone(), clash.begun.client_id.clone().unwrap_or_default());
        let known = view.sends.get(&key).and_then(Send::first_ok).is_some_and(|ok| ok.t_mono < clash.begun.t_mono);
        let accepted = clash.ended.is_some_and(|step| step.op == Op::Send && step.phase == Phase::Ok);
        if known && accepted {
            broken(found, "I15", || format!("{key:?} was taken for something else: {:?}", clash.ended));
        }
        // 503 is a fault's, and no answer at all.
        let refused = clash.ended.filter(|step| step.phase == Phase::Fail).and_then(|step| step.status);
        if known && refused.is_some_and(|status| status != 409 && status != 503) {
            broken(found, "I15", || format!("{key:?} was refused for something else with {refused:?}"));
        }
    }
}
