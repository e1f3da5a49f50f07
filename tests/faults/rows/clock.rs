//! The wall clock of a process jumps while it serves, and back again. The machine's own clock is never touched: Debian's
//! libfaketime stands between one process and it, and leaves the monotonic clock as it is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chatd::domain::{Clock as _, SystemClock, UserKey};
use chatd::store::Users as _;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

use super::{BOTH, MARIADB};
use crate::cell::{Cell, Mode, Row};
use crate::finale;
use crate::history::{Op, Phase};
use crate::load::{Load, Scale};
use crate::site::Site;
use crate::support::backend;
use crate::support::server::Client;

pub const ROWS: &[Row] = &[Row {
    number: 21,
    name: "the clock of a process jumps, and back",
    on: BOTH,
    faulty: false,
    quick: MARIADB,
    run: |cell| Box::pin(jumps(cell)),
}];

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// In seconds.
const JUMPS: [(&str, i64); 4] = [("+1 h", HOUR), ("-1 h", -HOUR), ("+10 y", 3652 * DAY), ("-1 d", -DAY)];
/// A session lives for two weeks.
const LIFE: i64 = 14 * DAY;
/// Whoever knows the password is in again after the time of one wrong one, and this.
const AGAIN: Duration = Duration::from_secs(3);
/// Signing in and looking at it takes less, in seconds.
const EXACT: i64 = 20;
/// In a conversation time goes on, whatever the clocks say.
const BACKWARDS: &str = "SELECT COUNT(*) FROM messages a JOIN messages b ON b.conversation_id = a.conversation_id \
    AND b.seq = a.seq + 1 WHERE b.sent_at <= a.sent_at";
/// Neither their age nor their rest ends them.
const OUTLASTING: &str = "UPDATE sessions SET expires_at = expires_at + 20 * 31557600000000, \
    last_used_at = last_used_at + 20 * 31557600000000";
const PASSWORD: &str = "faults-password";

async fn jumps(cell: &Cell) {
    // Wrong passwords a minute: few, so that they are soon used up; with every test more, so that one is soon back.
    let failures = u32::try_from(cell.times(20, 5, 5)).unwrap_or(5);
    let plan = cell.plan().pair().with("LOGIN_FAILURES_PER_MINUTE", &failures);
    let site = Site::new(plan).await;
    let clocks: Vec<_> = (0..site.processes()).map(|index| Clock::given(&site, index)).collect();
    for index in 0..site.processes() {
        site.ready(index, "ok").await;
    }
    // Theirs outlast every jump: they go on, and what they do is checked. Those that should end are made here.
    backend::run(&site.database.url, OUTLASTING).await;
    let scale = match cell.mode {
        // Signing in is slow beside many sends.
        Mode::Quick => Scale { lanes: 6, pause: Duration::from_millis(200), ..cell.scale() },
        _ => cell.scale(),
    };
    let load = Load::start(&site, Scale { everybody: false, ..scale }, cell.seed).await;
    cell.warm(&site);
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    let name = site.people.last().expect("people").name.clone();
    // The furthest of each way are enough with every test.
    let jumps = if cell.mode == Mode::Quick { &JUMPS[2..] } else { &JUMPS };
    for (jump, seconds) in jumps.repeat(usize::try_from(cell.times(1, 3, 20)).unwrap_or(1)) {
        let victim = rng.random_range(0..site.processes());
        let (clock, base) = (&clocks[victim], site.base(victim));
        let in_again = Duration::from_mins(1) / failures + AGAIN;
        let usual = sign_in(cell, &base, &name, ("before", in_again), jump).await;
        use_up(&base, &name, failures).await;
        clock.set(seconds);
        let of_then = sign_in(cell, &base, &name, ("while it had jumped", in_again), jump).await;
        cell.bit_of(jump, u64::from((off(&site, &name).await - seconds).abs() <= EXACT));
        let outlived = seconds > LIFE;
        cell.must(lives(&base, &usual).await != outlived, || format!("{jump}: a session of before lives: {outlived}"));
        cell.must(lives(&base, &of_then).await, || format!("{jump}: a session that was just made does not live"));
        use_up(&base, &name, failures).await;
        load.more(cell.times(60, 300, 300), Duration::from_secs(30)).await;
        clock.set(0);
        load.history.heal();
        cell.must(lives(&base, &usual).await, || format!("{jump} and back: a session of before does not live"));
        cell.must(lives(&base, &of_then).await != outlived, || {
            format!("{jump} and back: a session of then lives: {outlived}")
        });
        drop(sign_in(cell, &base, &name, ("afterwards", in_again), jump).await);
        let now = off(&site, &name).await;
        cell.must(now.abs() <= EXACT, || format!("{jump} and back: the clock is still off by {now} s"));
        load.more(cell.times(30, 100, 100), Duration::from_secs(30)).await;
    }
    let history = load.history.clone();
    cell.check(&site, load).await;
    let backwards = finale::count(&site.database.url, BACKWARDS).await;
    cell.must(matches!(backwards, Ok(0)), || {
        format!("messages that bear an earlier time than the one before: {backwards:?}")
    });
    // Whoever signed out meant it.
    let steps = history.steps();
    let theirs = steps.iter().filter(|step| step.phase == Phase::Fail && &*step.device != "revoked");
    let out: Vec<_> = theirs.filter(|step| step.op != Op::Probe && step.status == Some(403)).collect();
    cell.figure("signed out", out.len());
    cell.must(out.is_empty(), || format!("{} were signed out, first {:?}", out.len(), out[0]));
}

/// Uses up the wrong passwords that there may be.
async fn use_up(base: &str, name: &str, failures: u32) {
    for _ in 0..4 * failures {
        let wrong = json!({"username": name, "password": "wrong"});
        if Client::new(base).post("/api/v1/session/", &wrong).await.status == 429 {
            return;
        }
    }
    panic!("{name} may be wrong for ever");
}

/// Signs in with the right password, as soon as one may; the cookie of the session.
async fn sign_in(cell: &Cell, base: &str, name: &str, (when, within): (&str, Duration), jump: &str) -> String {
    let right = json!({"username": name, "password": PASSWORD});
    let started = std::time::Instant::now();
    let client = Client::new(base);
    loop {
        let answer = client.post("/api/v1/session/", &right).await;
        let took = started.elapsed();
        if answer.status == 200 {
            return client.cookies();
        }
        if took > within {
            cell.must(false, || format!("{jump}, {when}: not in after {took:?}: {} {}", answer.status, answer.body));
            return String::new();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Whether a session lives. Of one that does not, a client is told to forget it: this one does not obey, and asks again.
async fn lives(base: &str, session: &str) -> bool {
    let headers = [("Cookie", session)];
    Client::new(base).send("GET", "/api/v1/conversation/", &headers, None).await.status == 200
}

/// The wall clock of one server.
struct Clock {
    offset: PathBuf,
}

impl Clock {
    /// Starts a server anew, with a clock of its own.
    fn given(site: &Site, index: usize) -> Self {
        let offset = site.directory(index).join("clock");
        std::fs::write(&offset, "+0").expect("a file");
        let library = library();
        site.kill(index);
        let environment = [
            ("LD_PRELOAD", text(&library)),
            ("FAKETIME_TIMESTAMP_FILE", text(&offset)),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        site.start_with(index, &environment);
        Self { offset }
    }

    /// Moves it to so many seconds from the machine's. Its server looks at it each time.
    fn set(&self, seconds: i64) {
        let next = self.offset.with_extension("next");
        std::fs::write(&next, format!("{seconds:+}")).expect("a file");
        std::fs::rename(&next, &self.offset).expect("it takes its place");
    }
}

/// By how many seconds the clock that somebody was just signed in by is off. (The `Date` of answers does not tell: it is
/// made once a second by the clock, so after a jump back not for a long while.)
async fn off(site: &Site, name: &str) -> i64 {
    let store = site.database.store().await;
    let key = UserKey::new(name).expect("a name");
    let user = store.user_by_key(&key).await.expect("an answer").expect("somebody");
    let last = user.last_login.expect("somebody who has signed in");
    (last.0 - SystemClock.now().0) / 1_000_000
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of ours")
}

fn library() -> PathBuf {
    let systems = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut paths = systems.map(|system| system.path().join("faketime/libfaketimeMT.so.1"));
    paths.find(|path| path.is_file()).expect("libfaketime is missing: install Debian's package libfaketime")
}
