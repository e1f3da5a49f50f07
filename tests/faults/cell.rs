//! One cell of the table: a fault on a backend, so many times, and its verdict.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::evidence::Evidence;
use crate::finale::{Ended, finish};
use crate::load::{Load, Scale};
use crate::site::{Plan, Site};
use crate::support::backend::Backend;
use crate::usage::{self, Held};

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// With every test: minutes.
    Quick,
    /// Within an hour on two processors.
    Nightly,
    /// As often as the table of faults says.
    Release,
}

/// A server may come to hold so many descriptors more than at first: connections to its database, which it opens when
/// it needs them.
const MORE: usize = 16;

/// A cell while it runs.
pub struct Cell {
    pub mode: Mode,
    pub seed: u64,
    pub backend: Backend,
    /// The program with points of failure in it, where it was built.
    pub faulty: Option<PathBuf>,
    figures: Mutex<Vec<(String, String)>>,
    /// By what bit; of a fault of one kind that has no name.
    bites: Mutex<BTreeMap<String, u64>>,
    failures: Mutex<Vec<String>>,
    /// What servers held before the fault.
    held: Mutex<Vec<Held>>,
    pub keep: PathBuf,
}

impl Cell {
    pub fn new(mode: Mode, seed: u64, backend: Backend, faulty: Option<PathBuf>, keep: PathBuf) -> Self {
        let (figures, bites, failures) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { mode, seed, backend, faulty, figures, bites, failures, held: Mutex::default(), keep }
    }

    /// The option that asks for it.
    fn option(&self) -> &'static str {
        match self.mode {
            Mode::Quick => "",
            Mode::Nightly => " --nightly",
            Mode::Release => " --release",
        }
    }

    /// How often, by how much is run.
    pub fn times(&self, quick: u64, nightly: u64, release: u64) -> u64 {
        match self.mode {
            Mode::Quick => quick,
            Mode::Nightly => nightly,
            Mode::Release => release,
        }
    }

    /// The usual load: small with every test, the table's otherwise.
    pub fn scale(&self) -> Scale {
        match self.mode {
            Mode::Quick => Scale::default(),
            Mode::Nightly | Mode::Release => {
                Scale { lanes: 40, pause: Duration::from_millis(40), everybody: true, ..Scale::default() }
            }
        }
    }

    /// The usual site: a few people with every test, two hundred otherwise.
    pub fn plan(&self) -> Plan {
        Plan { people: if self.mode == Mode::Quick { 12 } else { 200 }, ..Plan::on(self.backend) }
    }

    /// A figure to print.
    pub fn figure(&self, name: &str, value: impl std::fmt::Display) {
        self.figures.lock().unwrap().push((name.to_owned(), value.to_string()));
    }

    /// The fault was seen to bite so often.
    pub fn bit(&self, times: u64) {
        self.bit_of("", times);
    }

    /// This one of several kinds was seen to bite so often. Each that is named has to, some time.
    pub fn bit_of(&self, kind: &str, times: u64) {
        *self.bites.lock().unwrap().entry(kind.to_owned()).or_default() += times;
    }

    /// What must hold beside the invariants.
    pub fn must(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.failures.lock().unwrap().push(what());
        }
    }

    /// The load runs, and nothing is wrong yet: what servers hold now is the measure of what they hold in the end.
    pub fn warm(&self, site: &Site) {
        *self.held.lock().unwrap() = usage::held(site);
    }

    /// Brings the load to rest and checks everything.
    pub async fn check(&self, site: &Site, load: Load) {
        let ended = finish(site, load).await;
        self.settle(&ended);
        let before = std::mem::take(&mut *self.held.lock().unwrap());
        if let Some((text, more)) = usage::grown(&before, site) {
            self.must(more <= MORE, || format!("I20: after rest the servers held more than before: {text}"));
            self.figure("held", text);
        }
    }

    pub fn settle(&self, ended: &Ended) {
        if self.mode > Mode::Quick {
            self.figure("load", usage::pace(&ended.history.steps()));
        }
        self.figure("acknowledged", ended.history.acknowledged());
        self.figure("unknown", ended.history.unknown());
        self.figure("converged", format!("{:.1} s", ended.converged.as_secs_f64()));
        for violation in &ended.violations {
            self.failures.lock().unwrap().push(format!("{}: {}", violation.invariant, violation.what));
        }
    }

    /// The invariants that were broken, for the self-test.
    pub fn broken(&self) -> Vec<String> {
        self.failures.lock().unwrap().clone()
    }
}

pub type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A row of the table.
pub struct Row {
    pub number: u8,
    pub name: &'static str,
    pub on: &'static [Backend],
    /// Needs the program with points of failure.
    pub faulty: bool,
    /// Where `--quick` runs it: on one of them, where it takes long and the other shows the same.
    pub quick: &'static [Backend],
    pub run: fn(&Cell) -> Running<'_>,
}

/// How a cell ended.
pub struct Verdict {
    pub passed: bool,
    pub line: String,
}

/// Runs one cell to its verdict: it passed only if nothing is broken and the fault was seen to bite.
pub async fn run(row: &'static Row, cell: Cell) -> Verdict {
    let started = Instant::now();
    let cell = Arc::new(cell);
    let running = cell.clone();
    let evidence = Arc::new(Evidence::default());
    let gathered = evidence.clone().gather(async move { (row.run)(&running).await });
    let ended = tokio::spawn(gathered).await;
    if let Err(e) = ended {
        let panic = e.try_into_panic().ok();
        let text = panic.as_ref().and_then(|panic| {
            panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        });
        cell.must(false, || format!("it did not come to its end: {}", text.unwrap_or_default()));
    }
    let failures = cell.failures.lock().unwrap();
    let (bites, void) = bites(&cell);
    let (passed, word) = match (failures.is_empty(), void) {
        (false, _) => (false, "FAILED".to_owned()),
        (true, Some(what)) => (false, format!("VOID ({what} never bit)")),
        (true, None) => (true, "passed".to_owned()),
    };
    let mut line = format!("{:>2} {:<8} {:<44} {word}: bit {bites} times", row.number, cell.backend.name(), row.name);
    for (name, value) in cell.figures.lock().unwrap().iter() {
        let _ = write!(line, ", {name} {value}");
    }
    let _ = write!(line, " ({:.1} s)", started.elapsed().as_secs_f64());
    if !passed {
        for failure in failures.iter().chain(&evidence.write(&cell.keep)) {
            let _ = write!(line, "\n     {failure}");
        }
        let _ = write!(
            line,
            "\n     again: scripts/faults{} --only {} --on {} --seed {}",
            cell.option(),
            row.number,
            cell.backend.name(),
            cell.seed
        );
    }
    Verdict { passed, line }
}

/// How often the fault bit, and which kind of it never did.
fn bites(cell: &Cell) -> (String, Option<String>) {
    let bites = cell.bites.lock().unwrap();
    let never: Vec<_> = bites.iter().filter(|(_, times)| **times == 0).map(|(kind, _)| kind.as_str()).collect();
    let void = match (bites.is_empty(), &never[..]) {
        (false, []) => None,
        (true, _) | (_, [""]) => Some("the fault".to_owned()),
        (_, kinds) => Some(kinds.join(", ")),
    };
    let total: u64 = bites.values().sum();
    let named: Vec<_> = bites.iter().filter(|(kind, _)| !kind.is_empty()).collect();
    if named.is_empty() {
        return (total.to_string(), void);
    }
    let each: Vec<_> = named.iter().map(|(kind, times)| format!("{kind} {times}")).collect();
    (format!("{total} ({})", each.join(", ")), void)
}
