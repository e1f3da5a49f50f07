//! What every backend must do, listed once and run on each.

mod bus;
mod store;

use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    let mut trials = store::trials();
    trials.extend(store::accounts::trials());
    trials.extend(store::factors::trials());
    trials.extend(store::edits::trials());
    trials.extend(store::erasing::trials());
    trials.extend(store::exports::trials());
    trials.extend(store::mails::trials());
    trials.extend(store::marks::trials());
    trials.extend(store::profiles::trials());
    trials.extend(store::people::trials());
    trials.extend(store::plans::trials());
    trials.extend(store::settings::trials());
    trials.extend(bus::trials());
    trials
}
