//! A server that may have 256 MiB of memory, and is killed when others in its group take it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::BOTH;
use crate::cell::{Cell, Row};
use crate::crowd::{self, Crowd, Place};
use crate::link::executable;
use crate::load::Load;
use crate::site::{Plan, Site, named, program};

pub const ROWS: &[Row] = &[Row {
    number: 27,
    name: "out of memory: a group with 256 MiB",
    on: BOTH,
    faulty: false,
    // Needs root.
    quick: &[],
    run: |cell| Box::pin(limited(cell)),
}];

const LIMIT: u64 = 256 * 1024 * 1024;
/// A server that was killed listens again within so long.
const READY: Duration = Duration::from_secs(2);

async fn limited(cell: &Cell) {
    crowd::raise_descriptors();
    let group = Group::new();
    let scripts = tempfile::tempdir().expect("a directory");
    // The kernel takes it before its neighbour.
    let script = format!(
        "#!/bin/sh\necho $$ >{}/cgroup.procs && echo 1000 >/proc/self/oom_score_adj && exec {} \"$@\"\n",
        group.path.display(),
        program().display()
    );
    let plan = Plan { program: Some(executable(&scripts.path().join("in-group"), &script)), ..cell.plan() };
    let site = Site::new(plan).await;
    let count = cell.times(200, 2000, 2000) as usize;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    let people = named(&*site.database.store().await, "s", count / 10, 1).await;
    let cookies: Vec<Arc<str>> = people.iter().map(|person| person.cookies[0].as_str().into()).collect();
    let place = |number: usize| Place { port: site.port(0), cookie: cookies[number % cookies.len()].clone() };
    let (open, failed, why) = Crowd::open((0..count).map(|n| (place(n), None)).collect(), 32).await;
    cell.must(failed == 0, || format!("{failed} sockets did not open: {why}"));
    load.more(cell.times(200, 5000, 20_000), Duration::from_mins(2)).await;
    let resident = site.server(0, |server| crowd::resident(server.pid())).expect("it runs") / 1024;
    let open = open.members().await;
    cell.must(open.len() == count, || format!("{} of {count} sockets are still open", open.len()));
    cell.figure("sockets", count);
    cell.figure("memory with them", format!("{resident} MiB"));
    cell.must(group.killed() == 0, || "it was killed without a neighbour".to_owned());
    drop(open);

    let mut longest = Duration::ZERO;
    for _ in 0..cell.times(2, 5, 20) {
        load.more(30, Duration::from_secs(30)).await;
        let server = site.take(0).expect("it runs");
        let before = group.killed();
        let hungry = Hungry::start(&group.path);
        let code = server.ended().await;
        cell.must(code == -1, || format!("it ended with {code}, not by a signal"));
        let killed = group.killed() > before;
        cell.bit(u64::from(killed));
        cell.must(killed, || "it was not the kernel that killed it".to_owned());
        drop(hungry);
        longest = longest.max(site.start(0));
        load.history.heal();
    }
    cell.figure("ready again within", format!("{:.2} s", longest.as_secs_f64()));
    cell.must(longest <= READY, || format!("ready again only after {longest:?}"));
    cell.check(&site, load).await;
    drop((site, group));
}

/// A control group with a limit, in either version of them; removed when dropped. What is in it must end first.
struct Group {
    path: PathBuf,
}

impl Group {
    fn new() -> Self {
        let name = format!("chatd-{:08x}", rand::random::<u32>());
        let (old, new) = (Path::new("/sys/fs/cgroup/memory"), Path::new("/sys/fs/cgroup"));
        let (path, limit) = if old.join("memory.limit_in_bytes").exists() {
            (old.join(name), "memory.limit_in_bytes")
        } else {
            (new.join(name), "memory.max")
        };
        let made = std::fs::create_dir(&path).and_then(|()| std::fs::write(path.join(limit), LIMIT.to_string()));
        made.unwrap_or_else(|e| panic!("this row needs root and control groups with memory: {}: {e}", path.display()));
        // Its neighbour must not get away into swap.
        let _ = std::fs::write(path.join("memory.swap.max"), "0");
        Self { path }
    }

    /// How many the kernel has killed in it.
    fn killed(&self) -> u64 {
        let files = ["memory.oom_control", "memory.events"];
        let texts = files.iter().filter_map(|file| std::fs::read_to_string(self.path.join(file)).ok());
        let text: String = texts.collect();
        let number = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        number.expect("the kernel counts").trim().parse().expect("a number")
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.path);
    }
}

/// A neighbour that takes as much memory as it can get.
struct Hungry(Child);

impl Hungry {
    fn start(group: &Path) -> Self {
        let script = format!("echo $$ >{}/cgroup.procs && exec tail /dev/zero", group.display());
        let child = Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.expect("it starts"))
    }
}

impl Drop for Hungry {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
