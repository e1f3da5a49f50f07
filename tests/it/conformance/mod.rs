//! What every backend must do, listed once and run on each.

mod bus;
mod store;

use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    let mut trials = store::trials();
    trials.extend(bus::trials());
    trials
}
