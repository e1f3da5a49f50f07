//! How requests were answered, read out of a history: what a row says of statuses and of waiting.

use std::collections::HashMap;
use std::time::Duration;

use crate::cell::Cell;
use crate::history::{History, Op, Phase};

/// One request and how it ended.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub op: Op,
    pub process: u8,
    /// None: there was no answer.
    pub status: Option<u16>,
    /// Since the cell began.
    pub begun: Duration,
    pub took: Duration,
}

/// All that have ended so far.
pub fn of(history: &History) -> Vec<Answer> {
    let mut begun = HashMap::new();
    let mut answers = Vec::new();
    for step in history.steps().iter().filter(|step| step.call != 0) {
        let now = Duration::from_micros(step.t_mono);
        if step.phase == Phase::Invoke {
            begun.insert(step.call, now);
        } else if let Some(begun) = begun.remove(&step.call) {
            let (op, process, status) = (step.op, step.proc, step.status);
            answers.push(Answer { op, process, status, begun, took: now.saturating_sub(begun) });
        }
    }
    answers
}

/// How many were answered that the server cannot, in whichever words.
pub fn unavailable(history: &History) -> u64 {
    of(history).iter().filter(|answer| answer.status.is_some_and(|status| status >= 500)).count() as u64
}

/// A server whose database fails answers everything, with nothing worse than 503, and within so long.
pub fn only_503(cell: &Cell, history: &History, within: Duration) {
    let answers = of(history);
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == Some(503)).collect();
    let slowest = refused.iter().map(|answer| answer.took).max().unwrap_or_default();
    cell.figure("503", refused.len());
    cell.figure("slowest 503", format!("{:.2} s", slowest.as_secs_f64()));
    if let Some(late) = refused.iter().find(|answer| answer.took > within) {
        let late_ones = refused.iter().filter(|answer| answer.took > within).count();
        cell.must(false, || format!("{late_ones} of {} 503s came after {within:?}, as {late:?}", refused.len()));
    }
    let worse = |answer: &&Answer| answer.status.is_none_or(|status| status >= 500 && status != 503);
    let found = answers.iter().filter(worse).count();
    cell.must(found == 0, || {
        format!("{found} requests were answered worse than 503, as {:?}", answers.iter().find(worse))
    });
}
