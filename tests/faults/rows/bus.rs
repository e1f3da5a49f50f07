//! A bus that loses, doubles and delays words, and one that somebody else writes to.

use std::time::Duration;

use super::redis::{SHARED, staying};
use crate::cell::{Cell, Mode, Row};
use crate::delays::{self, Span};
use crate::line::Line;
use crate::load::Load;
use crate::quiet::Quiet;
use crate::support::redis_proxy::Fate;

pub const ROWS: &[Row] = &[Row {
    number: 8,
    name: "words on the bus lost, doubled, late",
    on: SHARED,
    faulty: false,
    quick: SHARED,
    run: |cell| Box::pin(unreliable(cell)),
}];

/// Whatever becomes of the words, the heads are read every five seconds.
const WORST: Duration = Duration::from_secs(6);

/// The last one is the hardest: when it ends the load does, and the poll alone is left.
const FATES: [(&str, Fate); 5] = [
    ("30 % lost", Fate::Lose(30)),
    ("30 % doubled", Fate::Double(30)),
    ("5 s late", Fate::Delay(Duration::from_secs(5))),
    ("out of order", Fate::Shuffle(Duration::from_secs(3))),
    ("all lost", Fate::Lose(100)),
];

async fn unreliable(cell: &Cell) {
    let line = Line::new(cell.seed).await;
    let scale = staying(cell);
    let site = line.site(Quiet::beside(&scale, cell.plan())).await;
    let load = Load::start(&site, scale, cell.seed).await;
    cell.warm(&site);
    let quiet = Quiet::start(&site, &load, cell.seed);
    let mut spans: [Vec<Span>; FATES.len()] = Default::default();
    for _ in 0..cell.times(1, 3, 10) {
        for ((name, fate), spans) in FATES.into_iter().zip(&mut spans) {
            let (begun, hit) = (load.history.now(), line.words.hit());
            line.words.set(fate);
            load.more(cell.times(100, 500, 500), Duration::from_secs(30)).await;
            if cell.mode > Mode::Quick {
                // Longer than the poll, and than a word is late.
                tokio::time::sleep(WORST).await;
            }
            let hit = line.words.hit() - hit;
            cell.must(hit > 0, || format!("no word was {name}"));
            cell.bit_of(name, hit);
            spans.push(begun..load.history.now());
        }
    }
    let history = load.history.clone();
    let devices: Vec<_> = load.devices.iter().map(|device| device.caller.device.clone()).collect();
    quiet.end().await;
    cell.check(&site, load).await;
    let steps = history.steps();
    for ((name, _), spans) in FATES.into_iter().zip(&spans) {
        let took = delays::deliveries(&steps, spans, &devices);
        let worst = took.worst();
        cell.figure(name, format!("{worst:.2?} (worst of {})", took.count()));
        cell.must(took.count() > 0 && worst <= WORST, || format!("{name}: delivery took {worst:?}, at most {WORST:?}"));
    }
}
