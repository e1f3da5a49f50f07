//! What a load came to, and what servers hold before and after it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::crowd;
use crate::history::{Op, Phase, Step};
use crate::site::Site;
use crate::support::server::Server;

/// From its first send to its last: how many a second were answered, and how many were under way at a time, on average.
pub fn pace(steps: &[Step]) -> String {
    let (mut begun, mut count, mut waited) = (HashMap::new(), 0_u32, Duration::ZERO);
    let (mut first, mut last) = (None, 0);
    for step in steps.iter().filter(|step| step.op == Op::Send) {
        if step.phase == Phase::Invoke {
            first.get_or_insert(step.t_mono);
            begun.insert(step.call, step.t_mono);
        } else if let Some(at) = begun.remove(&step.call) {
            last = step.t_mono;
            count += 1;
            waited += Duration::from_micros(step.t_mono - at);
        }
    }
    let span = Duration::from_micros(last - first.unwrap_or(last)).as_secs_f64().max(0.001);
    format!("{:.0} sends/s, {:.0} in flight", f64::from(count) / span, waited.as_secs_f64() / span)
}

/// What a server holds.
pub struct Held {
    index: usize,
    pid: u32,
    /// In KiB.
    memory: u64,
    /// Those of its clients are not among them.
    descriptors: usize,
}

/// What each server of a site holds that runs.
pub fn held(site: &Site) -> Vec<Held> {
    let of = |index| {
        let pid = site.server(index, Server::pid)?;
        let clients = connections(site.port(index));
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
        let links = open.filter_map(|fd| Some(std::fs::read_link(fd.path()).ok()?.to_string_lossy().into_owned()));
        let descriptors = links.filter(|link| !clients.contains(link)).count();
        Some(Held { index, pid, memory: crowd::resident(pid), descriptors })
    };
    (0..site.processes()).filter_map(of).collect()
}

/// Everything at a port, as descriptors are called.
fn connections(port: u16) -> HashSet<String> {
    let list = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's list");
    let ours = format!(":{port:04X}");
    let lines = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = lines.filter(|columns| columns.len() > 9 && columns[1].ends_with(&ours));
    ours.map(|columns| format!("socket:[{}]", columns[9])).collect()
}

/// What became of it in those servers that are still the same process: in words, and by how many descriptors it grew at
/// most.
pub fn grown(before: &[Held], site: &Site) -> Option<(String, usize)> {
    let after = held(site);
    let same = |old: &&Held, new: &&Held| (new.index, new.pid) == (old.index, old.pid);
    let pairs: Vec<_> =
        before.iter().filter_map(|old| Some((old, after.iter().find(|new| same(&old, new))?))).collect();
    let most = pairs.iter().map(|(old, new)| new.descriptors.saturating_sub(old.descriptors)).max()?;
    let each = pairs.iter().map(|(old, new)| {
        let (from, to) = (old.memory / 1024, new.memory / 1024);
        format!("{from} to {to} MiB and {} to {} descriptors", old.descriptors, new.descriptors)
    });
    Some((each.collect::<Vec<_>>().join(", "), most))
}
