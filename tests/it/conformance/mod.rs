//! What every backend must do, listed once and run on each.

mod store;

use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    store::trials()
}
