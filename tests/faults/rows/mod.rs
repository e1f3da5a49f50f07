//! The rows of the table of faults, by what they are done to.

mod answers;
mod bus;
mod clients;
mod clock;
mod database;
mod disk;
mod drain;
mod galera;
mod kills;
mod link;
mod locks;
mod memory;
mod net;
mod points;
mod poison;
pub mod power;
mod redis;
mod restore;
mod slow;
pub mod sync;
mod time;

use crate::cell::Row;
use crate::support::backend::Backend;

pub const BOTH: &[Backend] = &[Backend::Sqlite, Backend::MariaDb];
pub const GALERA: &[Backend] = &[Backend::Galera];
pub const MARIADB: &[Backend] = &[Backend::MariaDb];
pub const SQLITE: &[Backend] = &[Backend::Sqlite];

/// All rows, by number.
pub fn all() -> impl Iterator<Item = &'static Row> {
    let all = [
        bus::ROWS,
        clients::ROWS,
        clock::ROWS,
        database::ROWS,
        disk::ROWS,
        drain::ROWS,
        galera::ROWS,
        kills::ROWS,
        link::ROWS,
        locks::ROWS,
        memory::ROWS,
        net::ROWS,
        points::ROWS,
        poison::ROWS,
        power::ROWS,
        redis::ROWS,
        restore::ROWS,
        slow::ROWS,
        sync::ROWS,
        time::ROWS,
    ];
    let mut rows: Vec<&Row> = all.into_iter().flatten().collect();
    rows.sort_by_key(|row| row.number);
    rows.into_iter()
}
