//! Databases that were put back to an earlier copy. What was acknowledged after the copy was begun, before it was put
//! back, and is not in the copy is lost with the old database: that, and nothing else, is forgiven.

use std::collections::HashMap;
use std::sync::Arc;

use crate::history::{Op, Phase, Step};

/// What the nemesis notes when it begins a copy.
pub const COPIED: &str = "copied";
/// What it notes when the copy has been put back, no server runs, and every call to the old one has ended; with the
/// length of each conversation in the copy.
pub const PUT_BACK: &str = "put back";

/// One time that a copy was put back.
pub struct Restore {
    copied: u64,
    put_back: u64,
    lengths: HashMap<Arc<str>, i64>,
}

impl Restore {
    /// All of a history.
    pub fn all(steps: &[Step]) -> Vec<Self> {
        let mut copied = 0;
        let mut all = Vec::new();
        for step in steps.iter().filter(|step| step.op == Op::Audit && step.phase == Phase::Ok) {
            match step.note.as_deref() {
                Some(COPIED) => copied = step.t_mono,
                Some(PUT_BACK) => all.push(Self { copied, put_back: step.t_mono, lengths: lengths(step) }),
                _ => {}
            }
        }
        all
    }

    /// Whether an acknowledgment was lost with the old database.
    pub fn takes_back(&self, ok: &Step) -> bool {
        let in_copy = ok.conv.as_ref().and_then(|conv| self.lengths.get(conv)).copied().unwrap_or(0);
        (self.copied..self.put_back).contains(&ok.t_mono) && ok.seq.is_some_and(|seq| seq > in_copy)
    }
}

/// How far each conversation goes in the copy that was put back at this step; none if it is another step.
pub fn put_back(step: &Step) -> Option<HashMap<Arc<str>, i64>> {
    (step.op == Op::Audit && step.note.as_deref() == Some(PUT_BACK)).then(|| lengths(step))
}

fn lengths(step: &Step) -> HashMap<Arc<str>, i64> {
    step.marks.iter().map(|(conv, _, last_seq, _)| (conv.clone(), *last_seq)).collect()
}
