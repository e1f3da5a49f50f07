//! Servers that end at a chosen point of a send.

use std::collections::HashMap;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::BOTH;
use crate::cell::{Cell, Row};
use crate::history::{Op, Phase, Step};
use crate::load::{Load, Scale};
use crate::site::Site;

pub const ROWS: &[Row] = &[Row {
    number: 2,
    name: "kill -9 at six points of a send",
    on: BOTH,
    faulty: true,
    quick: BOTH,
    run: |cell| Box::pin(at_points(cell)),
}];

/// As `src/faults.rs` names them.
const POINTS: [&str; 6] =
    ["BeforeInsert", "AfterInsert", "BeforeCommit", "AfterCommit", "BeforeNotify", "BeforeResponse"];

async fn at_points(cell: &Cell) {
    let mut plan = cell.plan().pair();
    plan.program.clone_from(&cell.faulty);
    let site = Site::new(plan).await;
    let load = Load::start(&site, Scale { sends_only: true, ..cell.scale() }, cell.seed).await;
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    for _ in 0..cell.times(1, 20, 50) {
        for point in POINTS {
            let victim = rng.random_range(0..site.processes());
            site.kill(victim);
            let armed = format!("{point}:{}", rng.random_range(3..30));
            site.start_with(victim, &[("CHATD_FAULT_POINT", &armed)]);
            load.history.heal();
            let server = site.take(victim).expect("it runs");
            assert_eq!(server.ended().await, -1, "ended by a signal");
            let bit = server.log().contains(&format!("ends at {point}"));
            cell.must(bit, || format!("{armed} was not reached"));
            cell.bit_of(point, u64::from(bit));
            drop(server);
            site.start(victim);
            load.history.heal();
        }
    }
    load.more(20, Duration::from_secs(30)).await;
    let history = load.history.clone();
    cell.check(&site, load).await;
    let (resolved, all) = resolved(&history.steps());
    cell.figure("unknown and resolved", format!("{resolved} of {all}"));
    cell.must(resolved == all, || format!("only {resolved} of {all} unknown sends were resolved by trying again"));
}

/// Sends of which nobody knew what came of them, and how many of those were acknowledged later.
fn resolved(steps: &[Step]) -> (usize, usize) {
    let mut sends: HashMap<_, bool> = HashMap::new();
    for step in steps.iter().filter(|step| step.op == Op::Send) {
        let key = (&step.user, &step.client_id);
        match step.phase {
            Phase::Info => drop(sends.entry(key).or_insert(false)),
            Phase::Ok => drop(sends.get_mut(&key).map(|known| *known = true)),
            _ => {}
        }
    }
    (sends.values().filter(|known| **known).count(), sends.len())
}
