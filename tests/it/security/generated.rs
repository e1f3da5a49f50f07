//! Parsers under generated input: every file of `fuzz/corpus`, and mutations of them. The parsers and what must hold
//! for each stand in `src/fuzzing.rs`; `cargo fuzz` runs the same functions for longer.
//!
//! The inputs are the same in every run. `CHATD_TEST_INPUTS` sets another number for each parser, as `scripts/nightly`
//! does, and takes other ones each time; the seed is printed, and `CHATD_TEST_SEED` takes it.

mod mutate;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use chatd::fuzzing::{TARGETS, Target};
use libtest_mimic::Trial;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::once;
pub(super) use mutate::mutate;

pub fn trials() -> Vec<Trial> {
    once![
        s40_parsers_hold_under_generated_input,
        s40_every_parser_has_a_corpus_and_a_target,
        s40_a_planted_defect_is_found,
        s40_its_lock_file_names_one_registry
    ]
}

/// Inputs for each parser where nothing else is asked for: a debug build looks at all of them within a minute.
const INPUTS: usize = 100_000;

fn fuzz(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The files of a directory, by name.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let found = files(&fuzz("corpus").join(name));
    assert!(found.len() >= 3, "{name} has a corpus");
    found.iter().map(|path| std::fs::read(path).expect("a file of the corpus")).collect()
}

/// The first input for which something does not hold, and what was said.
fn search(target: &Target, corpus: &[Vec<u8>], inputs: usize, seed: u64) -> Option<(Vec<u8>, String)> {
    let broken = |input: &[u8]| {
        let panic = catch_unwind(AssertUnwindSafe(|| (target.run)(input))).err()?;
        let text = panic.downcast_ref::<String>().cloned();
        Some(text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default())
    };
    if let Some(found) = corpus.iter().find_map(|input| Some((input.clone(), broken(input)?))) {
        return Some(found);
    }
    let name = target.name.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut random = StdRng::seed_from_u64(seed ^ name);
    (0..inputs).find_map(|_| {
        let input = mutate(&mut random, corpus);
        let why = broken(&input)?;
        Some((input, why))
    })
}

async fn s40_parsers_hold_under_generated_input() {
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse::<u64>().expect("a number"));
    let (asked, seed) = (number("CHATD_TEST_INPUTS"), number("CHATD_TEST_SEED"));
    let inputs = asked.map_or(INPUTS, |n| usize::try_from(n).expect("a number of inputs"));
    let seed = seed.unwrap_or_else(|| if asked.is_some() { rand::random() } else { 0x5EED_C0DE });
    eprintln!("{inputs} inputs for each of {} parsers, CHATD_TEST_SEED={seed}", TARGETS.len());
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let failures = std::thread::scope(|scope| {
        let work = || {
            let mut failures = Vec::new();
            while let Some(target) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
                let started = Instant::now();
                if let Some((input, why)) = search(target, &corpus(target.name), inputs, seed) {
                    let (name, shown) = (target.name, input.escape_ascii());
                    failures.push(format!("{name}: CHATD_TEST_SEED={seed}, b\"{shown}\": {why}"));
                }
                eprintln!("{}: {:?}", target.name, started.elapsed());
            }
            failures
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect::<Vec<_>>()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Four lists of one thing: the functions, the targets, the manifest, the corpora.
async fn s40_every_parser_has_a_corpus_and_a_target() {
    let names: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let manifest = std::fs::read_to_string(fuzz("Cargo.toml")).expect("the manifest");
    let listed = manifest.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let listed: BTreeSet<_> = listed.filter(|name| *name != "chatd-fuzz").map(str::to_owned).collect();
    assert_eq!(listed, names);
    let targets = files(&fuzz("fuzz_targets"));
    for path in &targets {
        let name = path.file_stem().expect("a name").to_string_lossy();
        let text = std::fs::read_to_string(path).expect("a target");
        assert!(names.contains(&*name) && text.contains(&format!("run(\"{name}\", data)")), "{name}");
    }
    assert_eq!(targets.len(), names.len());
    let (mut count, mut size) = (0, 0);
    for entry in std::fs::read_dir(fuzz("corpus")).expect("the corpora").flatten() {
        assert!(names.contains(&*entry.file_name().to_string_lossy()), "{} is no parser's", entry.path().display());
        for file in files(&entry.path()) {
            count += 1;
            size += file.metadata().expect("its size").len();
        }
    }
    assert!(count < 300 && size < 500_000, "{count} files with {size} bytes are too many to keep");
}

/// The inputs get to places where a defect would be: behind a whole JSON object, a long number, a broken character.
async fn s40_a_planted_defect_is_found() {
    let arrays = |data: &[u8]| {
        let value = serde_json::from_slice::<serde_json::Value>(data).unwrap_or_default();
        assert!(!value["recipient"].is_array() && !value["body"].is_array());
    };
    let pages = |data: &[u8]| {
        let text = String::from_utf8_lossy(data);
        let pages = text.split('&').filter_map(|pair| pair.strip_prefix("page=")?.parse::<u64>().ok());
        assert!(pages.max() <= Some(i64::MAX.cast_unsigned()));
    };
    let broken = |data: &[u8]| assert!(std::str::from_utf8(data).is_ok() || !data.ends_with(b"e"));
    let defects: [Target; 3] = [
        Target { name: "json_body", run: arrays },
        Target { name: "query", run: pages },
        Target { name: "username", run: broken },
    ];
    for target in defects {
        let found = search(&target, &corpus(target.name), INPUTS, 0x5EED_C0DE);
        assert!(found.is_some(), "{}: the defect was not found", target.name);
    }
}

async fn s40_its_lock_file_names_one_registry() {
    let lock = std::fs::read_to_string(fuzz("Cargo.lock")).expect("the lock file");
    let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let elsewhere: Vec<_> = lock.lines().filter(|l| l.starts_with("source = ") && *l != registry).collect();
    assert!(elsewhere.is_empty() && lock.contains(registry), "{elsewhere:?}");
}
