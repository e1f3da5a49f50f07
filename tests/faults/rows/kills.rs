//! Servers that are killed.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::BOTH;
use crate::cell::{Cell, Row};
use crate::load::Load;
use crate::site::Site;

pub const ROWS: &[Row] = &[Row {
    number: 1,
    name: "kill -9 at a random moment",
    on: BOTH,
    faulty: false,
    quick: BOTH,
    run: |cell| Box::pin(at_random(cell)),
}];

/// A server that was killed listens again within so long.
const READY: Duration = Duration::from_secs(2);

async fn at_random(cell: &Cell) {
    let site = Site::new(cell.plan().pair()).await;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    let (mut longest, mut idle) = (Duration::ZERO, 0);
    let kills = cell.times(10, 100, 1000);
    let mut done = 0;
    while done < kills && idle < kills {
        load.more(rng.random_range(20..60), Duration::from_secs(30)).await;
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..80))).await;
        let unknown = load.history.unknown();
        let victim = rng.random_range(0..site.processes());
        site.kill(victim);
        longest = longest.max(site.start(victim));
        load.history.heal();
        // It hit something in flight, or it shows little.
        if load.history.unknown() > unknown {
            done += 1;
        } else {
            idle += 1;
        }
    }
    cell.bit(done);
    cell.must(done == kills, || format!("only {done} of {kills} kills hit a send, after {idle} more that hit none"));
    cell.figure("kills with nothing in flight", idle);
    cell.figure("ready again within", format!("{:.2} s", longest.as_secs_f64()));
    cell.must(longest <= READY, || format!("ready again only after {longest:?}"));
    cell.check(&site, load).await;
}
