//! Disks that take no more.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::Connection as _;

use super::{BOTH, answers};
use crate::cell::{Cell, Row};
use crate::disks::SmallDisk;
use crate::history::{Op, Phase, Step};
use crate::load::Load;
use crate::site::Site;
use crate::support::backend::{Backend, Database};
use crate::support::services::OwnMariaDb;
use crate::support::until;

pub const ROWS: &[Row] = &[Row {
    number: 17,
    name: "disk full: database, WAL, log",
    on: BOTH,
    faulty: false,
    quick: BOTH,
    run: |cell| Box::pin(full(cell)),
}];

/// With space again, a send is acknowledged within so long, and nothing was restarted.
const RECOVERED: Duration = Duration::from_secs(5);

/// Whoever is refused is told so within this time, which is that of a database that is away, twice: an engine on a full
/// disk tries for a while.
const REFUSED: Duration = Duration::from_secs(6);

/// What is seen while disks are full.
#[derive(Default)]
struct Seen {
    refused: u64,
    reads: u64,
    slowest: Duration,
}

async fn full(cell: &Cell) {
    let mut seen = Seen::default();
    let times = cell.times(1, 3, 20);
    match cell.backend {
        Backend::Sqlite => {
            database_and_log_full(cell, times, &mut seen).await;
            wal_full(cell, times, &mut seen).await;
        }
        _ => mariadb_full(cell, times, &mut seen).await,
    }
    cell.figure("sends refused", seen.refused);
    cell.figure("reads meanwhile", seen.reads);
    cell.figure("recovered within", format!("{:.2} s", seen.slowest.as_secs_f64()));
    cell.must(seen.slowest <= RECOVERED, || format!("with space again, the first send took {:?}", seen.slowest));
}

/// SQLite's files are on a disk that something else fills up; then the same happens to the log.
async fn database_and_log_full(cell: &Cell, times: u64, seen: &mut Seen) {
    let disk = SmallDisk::new(256);
    let database = Arc::new(Database::in_directory(disk.path()).await);
    let site = Site::over(cell.plan(), database).await;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    cell.warm(&site);
    for time in 0..times {
        let round = fill_up(cell, &load, ("database", &disk, (time % 8) * 100 * 1024), || false, seen).await;
        cell.must(round.is_ok(), || round.unwrap_err());
    }
    // Before it is killed, which answers nobody.
    answers::only_503(cell, &load.history, REFUSED);
    site.kill(0);
    let log = SmallDisk::over(8, &site.directory(0));
    site.start(0);
    load.more(20, Duration::from_secs(30)).await;
    for _ in 0..times {
        log_full(cell, &site, &load, &log).await;
    }
    cell.check(&site, load).await;
    // It writes to disks that are unmounted next.
    site.kill(0);
}

/// Its WAL fills the disk by itself: while somebody reads in one long transaction it cannot begin anew.
async fn wal_full(cell: &Cell, times: u64, seen: &mut Seen) {
    let disk = SmallDisk::new(256);
    let database = Arc::new(Database::in_directory(disk.path()).await);
    let site = Site::over(cell.plan(), database).await;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    cell.warm(&site);
    let wal = disk.path().join("chat.sqlite3-wal");
    let length = || std::fs::metadata(&wal).map_or(0, |file| file.len());
    for _ in 0..times {
        let mut reader = sqlx::SqliteConnection::connect(&site.database.url).await.expect("it opens");
        let mut reading = reader.begin().await.expect("it begins");
        let _: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(&mut *reading).await.expect("it reads");
        let before = length();
        let round = fill_up(cell, &load, ("WAL", &disk, 6 << 20), || false, seen).await;
        cell.must(round.is_ok(), || round.unwrap_err());
        let grown = length().saturating_sub(before);
        cell.must(grown > 1 << 20, || format!("it was not the WAL that filled the disk: it grew by {grown} bytes"));
        drop(reading);
        reader.close().await.expect("it closes");
    }
    let history = load.history.clone();
    cell.check(&site, load).await;
    answers::only_503(cell, &history, REFUSED);
}

/// All of a MariaDB is on the disk. It may end itself there: it aborts when the roll-back of a statement finds no space.
/// Then it is started again, as its service manager does, and in such a round reads may fail. Whether it does or not,
/// nothing is answered worse than 503.
async fn mariadb_full(cell: &Cell, times: u64, seen: &mut Seen) {
    let disk = SmallDisk::new(400);
    let small = ["--innodb-log-file-size=8M", "--innodb-buffer-pool-size=64M", "--max-connections=300"];
    let mariadb = OwnMariaDb::start(disk.path(), &small).await;
    let database = Arc::new(Database::on(&mariadb.url).await);
    let site = Site::over(cell.plan().pair(), database).await;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    cell.warm(&site);
    let (mut whole, mut ended) = (0, 0);
    while whole < times && ended < 3 * times + 9 {
        let round = fill_up(cell, &load, ("MariaDB", &disk, 0), || mariadb.has_ended(), seen).await;
        let Err(wrong) = round else {
            whole += 1;
            continue;
        };
        if !mariadb.ends_soon().await {
            cell.must(false, || wrong);
            break;
        }
        ended += 1;
        disk.empty();
        mariadb.launch(&[]);
        mariadb.answers(Duration::from_mins(1)).await;
        if let Err(wrong) = recovers(&load, || mariadb.has_ended(), seen).await {
            cell.must(false, || wrong);
        }
    }
    cell.must(whole == times, || format!("MariaDB ended itself {ended} times, and {whole} rounds were whole"));
    cell.figure("MariaDB ended itself", ended);
    let history = load.history.clone();
    cell.check(&site, load).await;
    answers::only_503(cell, &history, REFUSED);
}

/// Fills the disk but for so many bytes, looks, and gives the space back. Says what could not be read, or was not
/// acknowledged in time: what a database that ends itself excuses.
async fn fill_up(
    cell: &Cell,
    load: &Load,
    (what, disk, left): (&str, &SmallDisk, u64),
    gone: impl Fn() -> bool,
    seen: &mut Seen,
) -> Result<(), String> {
    let since = load.history.now();
    disk.fill(left);
    let refused = until("sends to be refused", Duration::from_mins(1), || async {
        let refused = load.history.count(since, was_refused);
        (refused >= 10).then_some(refused)
    });
    cell.bit_of(what, u64::from(refused.await > 0));
    let mut reads = 0;
    for device in load.devices.iter().take(8) {
        let user = &device.caller;
        let own = load.calls.conversations(0, user).await;
        let cursor = load.calls.sync(0, user, Some(&device.cursor()), Some("while full")).await;
        let (Some((peers, _)), Ok(_)) = (own, cursor) else {
            return Err(format!("{} cannot read from a full disk", user.user));
        };
        reads += 2;
        for (peer, _) in peers {
            let page = load.calls.list(0, user, &peer, "before_seq=9000000000&limit=5").await;
            page.ok_or_else(|| format!("{} cannot read of {peer} from a full disk", user.user))?;
            reads += 1;
        }
    }
    // It was full all the while: sends are refused still.
    let read = load.history.now();
    until("sends to be refused again", Duration::from_mins(1), || async {
        (load.history.count(read, was_refused) > 0).then_some(())
    })
    .await;
    let refused = load.history.count(since, was_refused);
    disk.empty();
    recovers(load, gone, seen).await?;
    seen.reads += reads;
    seen.refused += refused;
    Ok(())
}

/// With space again, sends are acknowledged again, unless the database has gone.
async fn recovers(load: &Load, gone: impl Fn() -> bool, seen: &mut Seen) -> Result<(), String> {
    let space = Instant::now();
    let goal = load.history.acknowledged() + 1;
    while load.history.acknowledged() < goal {
        if gone() || space.elapsed() > 2 * RECOVERED {
            return Err(format!("with space again, no send was acknowledged within {:?}", space.elapsed()));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    seen.slowest = seen.slowest.max(space.elapsed());
    load.history.heal();
    // It may go a little later too.
    let goal = load.history.acknowledged() + 20;
    let going_on = until("more acknowledged sends", Duration::from_secs(30), || async {
        (load.history.acknowledged() >= goal || gone()).then_some(gone())
    });
    if going_on.await { Err("it ended itself with space again".to_owned()) } else { Ok(()) }
}

fn was_refused(step: &Step) -> bool {
    step.op == Op::Send && matches!(step.phase, Phase::Fail | Phase::Info) && matches!(step.status, Some(503 | 507))
}

/// Nothing can be written to the log any more: nobody but its reader notices.
async fn log_full(cell: &Cell, site: &Site, load: &Load, disk: &SmallDisk) {
    let length = || log_length(&site.directory(0));
    disk.fill(16 * 1024);
    until("the log to fill its disk", Duration::from_secs(30), || async {
        let before = length();
        load.more(50, Duration::from_secs(30)).await;
        (length() == before).then_some(())
    })
    .await;
    let (full, since) = (length(), load.history.now());
    load.more(200, Duration::from_secs(30)).await;
    // A line for each of them would be ten times that.
    let lost = length() - full < 4096;
    cell.must(lost, || "its disk was full, and the log went on".to_owned());
    cell.bit_of("log", u64::from(lost));
    let failed = load.history.count(since, |step| {
        step.op == Op::Send && step.phase != Phase::Invoke && step.status.is_none_or(|status| status >= 500)
    });
    cell.must(failed == 0, || format!("{failed} sends failed because of a full log"));
    disk.empty();
    until("the log to go on", Duration::from_secs(5), || async { (length() > full + 4096).then_some(()) }).await;
}

/// The bytes of the logs in a directory.
fn log_length(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let logs = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "log"));
    logs.map(|file| file.metadata().map_or(0, |data| data.len())).sum()
}
