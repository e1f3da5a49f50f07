//! The end of a cell: all faults are over, every process takes a last send, everything comes to rest, and everything is
//! read once more by everybody, from each process, on fresh connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, Row as _};

use chatd::domain::{Cursor, Epoch};

use crate::calls::{Caller, Calls, Letter, place};
use crate::checker::{self, Violation};
use crate::history::{History, Op, Phase, Step};
use crate::load::Load;
use crate::site::Site;

/// Devices have so long to catch up with the heads of their logs.
const CONVERGE: Duration = Duration::from_secs(10);
/// A process must have taken a send after so long.
const LIVELY: Duration = Duration::from_secs(5);

/// What a cell came to.
pub struct Ended {
    pub history: Arc<History>,
    pub violations: Vec<Violation>,
    /// How long the devices took to catch up.
    pub converged: Duration,
}

/// Brings the load to rest, reads everything, and checks it.
pub async fn finish(site: &Site, mut load: Load) -> Ended {
    load.quiet().await;
    let history = load.history.clone();
    let bases = (0..load.calls.processes()).map(|process| load.calls.base(process).to_owned()).collect();
    load.calls = Calls::new(history.clone(), bases);
    last_sends(site, &load).await;
    let started = Instant::now();
    let converged = caught_up(site, &load, started).await;
    for person in &site.people {
        let caller = Caller { user: person.name.clone(), device: "final".into(), cookie: person.cookie() };
        for process in 0..site.processes() {
            read_everything(&load, process, &caller).await;
        }
        forged(&load, site, &caller).await;
    }
    for (device, cursor) in &load.begun {
        replay(&load, device, cursor).await;
    }
    ended_session(&load).await;
    let devices: Vec<_> = load.devices.iter().map(|device| device.caller.device.clone()).collect();
    for device in load.devices.into_iter().chain(load.revoked) {
        device.stop().await;
    }
    let direct = (0..site.processes()).all(|index| load.calls.base(index) == site.base(index));
    // With it go the connections that it kept.
    drop(load.calls);
    nothing_held(site, &history, direct).await;
    audit(&site.database.url, &history).await;
    for panic in site.panics() {
        note(&history, format!("a server panicked: {panic}"));
    }
    let steps = history.steps();
    Ended { violations: checker::check(&steps, &devices), history, converged }
}

/// No process is left behind: each takes a send soon (I20).
async fn last_sends(site: &Site, load: &Load) {
    let [from, .., to] = &site.people[..] else { return };
    for process in 0..load.calls.processes() {
        let name: Arc<str> = format!("last of {process}").into();
        let caller = Caller { user: from.name.clone(), device: name.clone(), cookie: from.cookie() };
        let letter = Letter {
            to: to.name.clone(),
            body: name.to_string(),
            key: Some(format!("last-{:016x}", rand::random::<u64>()).into()),
        };
        let started = Instant::now();
        while load.calls.send(process, &caller, &letter).await.0 != Phase::Ok {
            if started.elapsed() > LIVELY {
                return note(&load.history, format!("I20: process {process} took no send within {LIVELY:?}"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The session that was ended meanwhile opens nothing, anywhere; the checker looks at the answers (I21).
async fn ended_session(load: &Load) {
    let Some(device) = &load.revoked else { return };
    crate::support::until("the sign-out", Duration::from_secs(20), || async {
        let ended = load.history.count(0, |step| step.op == Op::SignOut && step.phase == Phase::Ok);
        (ended > 0).then_some(())
    })
    .await;
    for process in 0..load.calls.processes() {
        let _ = load.calls.sync(process, &device.caller, None, Some("head")).await;
    }
}

/// Once all clients have gone, no server holds a connection of theirs (I20). What is between them may keep its own: then
/// only those count whose other end has gone.
async fn nothing_held(site: &Site, history: &History, direct: bool) {
    let started = Instant::now();
    loop {
        let held = held((0..site.processes()).map(|index| site.port(index)).collect(), direct);
        if held == 0 {
            return;
        }
        if started.elapsed() > CONVERGE {
            return note(history, format!("I20: {CONVERGE:?} after all clients left, {held} connections are held"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Connections that the servers at these ports have open: the kernel's list shows an inode for each, and columns[3] is
/// the state.
fn held(ports: Vec<u16>, direct: bool) -> usize {
    let ends: Vec<_> = ports.into_iter().map(|port| format!(":{port:04X}")).collect();
    let list = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's list");
    let (listens, other_end_has_gone) = ("0A", "08");
    let held = list.lines().filter(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let ours = columns.len() > 9 && ends.iter().any(|end| columns[1].ends_with(end));
        let counts = if direct { columns[3] != listens } else { columns[3] == other_end_has_gone };
        ours && counts && columns[9] != "0"
    });
    held.count()
}

/// Waits until every device stands at the head of its log.
async fn caught_up(site: &Site, load: &Load, started: Instant) -> Duration {
    let mut heads = BTreeMap::new();
    for person in &site.people {
        let caller = Caller { user: person.name.clone(), device: "final".into(), cookie: person.cookie() };
        let head = crate::support::until("the head of a log", Duration::from_secs(10), || async {
            load.calls.sync(0, &caller, None, Some("head")).await.ok()
        });
        heads.insert(person.name.clone(), place(&head.await.1));
    }
    loop {
        let behind =
            load.devices.iter().filter(|device| Some(&place(&device.cursor())) != heads.get(&device.caller.user));
        let behind: Vec<_> = behind.map(|device| device.caller.device.to_string()).collect();
        if behind.is_empty() {
            return started.elapsed();
        }
        if started.elapsed() > CONVERGE {
            note(&load.history, format!("I10: after {CONVERGE:?} still behind: {}", behind.join(", ")));
            return started.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every conversation of a person, whole.
async fn read_everything(load: &Load, process: usize, caller: &Caller) {
    let Some((peers, _)) = load.calls.conversations(process, caller).await else {
        return note(&load.history, format!("the conversations of {} cannot be read in the end", caller.user));
    };
    for (peer, last_seq) in peers {
        let mut after = 0;
        while after < last_seq {
            let part = format!("after_seq={after}&limit=100");
            let page = load.calls.list(process, caller, &peer, &part).await.unwrap_or_default();
            let Some(newest) = page.iter().map(|message| message.seq).max().filter(|newest| *newest > after) else {
                return note(&load.history, format!("I4: {} with {peer}: nothing behind {after}", caller.user));
            };
            after = newest;
        }
    }
}

/// Everything in the log since a device began.
async fn replay(load: &Load, device: &Arc<str>, cursor: &str) {
    let Some(who) = load.devices.iter().find(|one| one.caller.device == *device) else { return };
    let caller = Caller { device: format!("replay {device}").into(), ..who.caller.clone() };
    let mut cursor = cursor.to_owned();
    while let Ok((_, next, more)) = load.calls.sync(0, &caller, Some(&cursor), None).await {
        cursor = next;
        if !more {
            return;
        }
    }
}

/// Cursors that must not be served: of another lineage, of another user, with another tag, from the future.
async fn forged(load: &Load, site: &Site, caller: &Caller) {
    let Ok((_, head, _)) = load.calls.sync(0, caller, None, Some("head")).await else { return };
    let Ok(cursor) = Cursor::decode(&head) else { return };
    let mut all = vec![("epoch", Cursor { epoch: Epoch(cursor.epoch.0 ^ 1), ..cursor })];
    all.push(("user", Cursor { user: cursor.user % site.people.len() as i64 + 1, ..cursor }));
    let (mut tag, mut future) = (cursor, cursor);
    tag.at.tag ^= 1;
    future.at.pos += 1_000_000;
    all.extend([("tag", tag), ("future", future)]);
    for (what, cursor) in all {
        for process in 0..site.processes() {
            let _ = load.calls.sync(process, caller, Some(&cursor.encode()), Some(&format!("forged {what}"))).await;
        }
    }
}

fn note(history: &History, what: String) {
    let nobody = Arc::from("");
    history.add(Step::new(Op::Audit, Phase::Fail, 0, &nobody, &nobody).note(what));
}

/// Looks at the tables themselves (I22).
pub async fn audit(url: &str, history: &History) {
    let numbers = "SELECT COUNT(*) FROM conversations c LEFT JOIN (SELECT conversation_id, COUNT(*) AS n, MAX(seq) AS \
        top FROM messages GROUP BY conversation_id) m ON m.conversation_id = c.id \
        WHERE COALESCE(m.n, 0) <> c.last_seq OR COALESCE(m.top, 0) <> c.last_seq";
    let logs = "SELECT COUNT(*) FROM user_heads h LEFT JOIN (SELECT user_id, COUNT(*) AS n, MAX(pos) AS top, MIN(pos) \
        AS low FROM events GROUP BY user_id) e ON e.user_id = h.user_id \
        WHERE COALESCE(e.top, 0) <> h.pos OR COALESCE(e.n, 0) <> COALESCE(e.top, 0) - COALESCE(e.low, 1) + 1";
    let lists = "SELECT COUNT(*) FROM conversations c LEFT JOIN (SELECT u.conversation_id, u.last_seq, COUNT(*) AS n \
        FROM user_conversations u JOIN conversations d ON d.id = u.conversation_id AND u.user_id IN (d.low_user, \
        d.high_user) WHERE u.read_seq BETWEEN 0 AND u.last_seq GROUP BY u.conversation_id, u.last_seq) l \
        ON l.conversation_id = c.id AND l.last_seq = c.last_seq \
        WHERE COALESCE(l.n, 0) <> CASE WHEN c.low_user = c.high_user THEN 1 ELSE 2 END";
    let rows = "SELECT COUNT(*) FROM messages m LEFT JOIN users s ON s.id = m.sender_id LEFT JOIN users r \
        ON r.id = m.recipient_id LEFT JOIN conversations c ON c.id = m.conversation_id \
        WHERE s.id IS NULL OR r.id IS NULL OR c.id IS NULL OR c.low_user <> CASE WHEN m.sender_id < m.recipient_id \
        THEN m.sender_id ELSE m.recipient_id END";
    let checks = [("numbers", numbers), ("logs", logs), ("lists", lists), ("people of messages", rows)];
    for (what, sql) in checks {
        match count(url, sql).await {
            Ok(0) => {}
            Ok(bad) => note(history, format!("I22: {what}: {bad} rows do not fit")),
            Err(e) => note(history, format!("I22: {what}: {e}")),
        }
    }
    if url.starts_with("sqlite:") {
        let found = async {
            let mut c = sqlx::SqliteConnection::connect(url).await?;
            sqlx::query_scalar::<_, String>("PRAGMA integrity_check").fetch_one(&mut c).await
        };
        match found.await {
            Ok(word) if word == "ok" => {}
            other => note(history, format!("I22: integrity_check: {other:?}")),
        }
    } else {
        let found = async {
            let mut c = sqlx::MySqlConnection::connect(url).await?;
            let tables = "messages, conversations, user_conversations, events, user_heads, users, sessions";
            let sql = sqlx::AssertSqlSafe(format!("CHECK TABLE {tables}"));
            let rows = sqlx::query(sql).fetch_all(&mut c).await?;
            rows.iter().map(|row| row.try_get_unchecked::<String, _>(3)).collect::<Result<Vec<_>, _>>()
        };
        match found.await {
            Ok(words) if words.iter().all(|word| word == "OK") => {}
            other => note(history, format!("I22: CHECK TABLE: {other:?}")),
        }
    }
}

pub async fn count(url: &str, sql: &'static str) -> Result<i64, sqlx::Error> {
    if url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(url).await?;
        sqlx::query_scalar(sql).fetch_one(&mut c).await
    } else {
        let mut c = sqlx::MySqlConnection::connect(url).await?;
        sqlx::query_scalar(sql).fetch_one(&mut c).await
    }
}
