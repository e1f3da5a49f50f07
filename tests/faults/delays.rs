//! How long sends and deliveries took, out of a history.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::history::{Op, Phase, Step};

/// A part of a history, by its clock.
pub type Span = Range<u64>;

/// Durations, sorted.
#[derive(Default)]
pub struct Delays(Vec<u64>);

impl Delays {
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The one that so many of a hundred do not exceed; zero if there are none.
    pub fn percentile(&self, percent: usize) -> Duration {
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        Duration::from_micros(self.0.get(at).copied().unwrap_or(0))
    }

    pub fn worst(&self) -> Duration {
        self.percentile(100)
    }
}

impl FromIterator<u64> for Delays {
    fn from_iter<I: IntoIterator<Item = u64>>(all: I) -> Self {
        let mut all: Vec<u64> = all.into_iter().collect();
        all.sort_unstable();
        Self(all)
    }
}

fn within(spans: &[Span], at: u64) -> bool {
    spans.iter().any(|span| span.contains(&at))
}

/// From the beginning to the end of the tries to send that began in these spans, however they ended.
pub fn sends(steps: &[Step], spans: &[Span]) -> Delays {
    let mut begun = HashMap::new();
    let mut took = Vec::new();
    for step in steps.iter().filter(|step| step.op == Op::Send) {
        if step.phase == Phase::Invoke {
            begun.insert(step.call, step.t_mono);
        } else if let Some(at) = begun.remove(&step.call).filter(|at| within(spans, *at)) {
            took.push(step.t_mono - at);
        }
    }
    took.into_iter().collect()
}

/// Tries to send, ended in these spans, that were not acknowledged. A key that was used for something else is refused,
/// as it should be: that is none of them.
pub fn send_errors(steps: &[Step], spans: &[Span]) -> Vec<Step> {
    let ended = steps.iter().filter(|step| step.op == Op::Send && within(spans, step.t_mono));
    let failed = ended.filter(|step| matches!(step.phase, Phase::Fail | Phase::Info) && step.status != Some(409));
    failed.cloned().collect()
}

/// From the acknowledgement of each message that was first acknowledged in these spans until each device of its people
/// displayed it. What was never displayed is for the checker to find.
pub fn deliveries(steps: &[Step], spans: &[Span], devices: &[Arc<str>]) -> Delays {
    let devices: HashSet<_> = devices.iter().collect();
    let mut acknowledged: HashMap<i64, u64> = HashMap::new();
    let mut displayed: HashMap<(&Arc<str>, i64), u64> = HashMap::new();
    for step in steps.iter().filter(|step| step.phase == Phase::Ok) {
        match step.op {
            Op::Send => {
                acknowledged.entry(step.id.unwrap_or(-1)).or_insert(step.t_mono);
            }
            Op::Recv | Op::Sync if devices.contains(&step.device) => {
                for seen in &step.messages {
                    displayed.entry((&step.device, seen.id)).or_insert(step.t_mono);
                }
            }
            _ => {}
        }
    }
    let of = |((_, id), at): (&(&Arc<str>, i64), &u64)| {
        let since = acknowledged.get(id).filter(|since| within(spans, **since))?;
        Some(at.saturating_sub(*since))
    };
    displayed.iter().filter_map(of).collect()
}
