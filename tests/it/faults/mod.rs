//! What must hold when a process, a disk, a database or a bus fails.

mod bus;
mod database;
mod disk;
mod kills;

use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    [kills::trials(), database::trials(), bus::trials(), disk::trials()].into_iter().flatten().collect()
}
