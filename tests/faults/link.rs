//! Links that go bad: a network of the server's own, in which packets vanish, and a proxy that is as slow as a telephone
//! in a train.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// A network namespace with two addresses, and a wire to it; removed when dropped. What runs in it must end first.
pub struct Namespace {
    name: String,
    net: String,
}

impl Namespace {
    /// Needs root, `ip` (Debian: iproute2) and `nft` (Debian: nftables).
    pub fn new() -> Self {
        let number = rand::random::<u16>();
        let (name, wire) = (format!("chatd-{number:04x}"), format!("chatd{number:04x}"));
        let net = format!("10.{}.{}", 128 + number % 100, number >> 8);
        run("ip", &format!("netns add {name}"));
        let made = Self { name, net };
        run("ip", &format!("link add {wire} type veth peer name wire netns {}", made.name));
        run("ip", &format!("address add {}.1/24 dev {wire}", made.net));
        run("ip", &format!("link set {wire} up"));
        made.inside(&format!("ip address add {}.2/24 dev wire", made.net));
        made.inside(&format!("ip address add {}.3/24 dev wire", made.net));
        made.inside("ip link set wire up");
        made.inside("ip link set lo up");
        made
    }

    /// The address that always works.
    pub fn sound(&self) -> String {
        format!("{}.2", self.net)
    }

    /// The address whose packets may vanish.
    pub fn broken(&self) -> String {
        format!("{}.3", self.net)
    }

    /// A program that starts another one in here.
    pub fn wrap(&self, program: &std::path::Path, dir: &std::path::Path) -> std::path::PathBuf {
        let script = format!("#!/bin/sh\nexec ip netns exec {} {} \"$@\"\n", self.name, program.display());
        executable(&dir.join("in-namespace"), &script)
    }

    fn inside(&self, command: &str) -> String {
        run("ip", &format!("netns exec {} {command}", self.name))
    }

    /// From now on packets from and to the broken address vanish.
    pub fn cut(&self) {
        let address = self.broken();
        self.inside("nft add table ip faults");
        self.inside("nft add chain ip faults in { type filter hook input priority 0 ; }");
        self.inside("nft add chain ip faults out { type filter hook output priority 0 ; }");
        self.inside(&format!("nft add rule ip faults in ip daddr {address} counter drop"));
        self.inside(&format!("nft add rule ip faults out ip saddr {address} counter drop"));
    }

    /// How many packets have vanished on the way in, and on the way out.
    pub fn vanished(&self) -> (u64, u64) {
        let count = |chain: &str| {
            let list = self.inside(&format!("nft list chain ip faults {chain}"));
            let mut words = list.split_whitespace().skip_while(|word| *word != "packets").skip(1);
            words.next().and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        (count("in"), count("out"))
    }

    pub fn mend(&self) {
        self.inside("nft delete table ip faults");
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

fn run(program: &str, args: &str) -> String {
    let done = Command::new(program).args(args.split(' ')).output();
    let done = done.unwrap_or_else(|e| panic!("{program} cannot run ({e}): this row needs iproute2 and nftables"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "this row needs root, iproute2 and nftables: {program} {args}: {said}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Writes a script that can be run.
pub fn executable(path: &std::path::Path, script: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, script).expect("it can be written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    path.to_owned()
}

/// How bad a link is, in each direction.
#[derive(Clone, Copy)]
pub struct Weather {
    /// Each piece is so late, in milliseconds; never before an earlier one.
    pub delay: (u64, u64),
    /// One piece out of so many is lost at first, and sent again.
    pub lost: u32,
    pub again: Duration,
    pub bytes_per_second: u64,
    /// A connection lives at most so long.
    pub cut_within: Duration,
}

/// What it has done so far.
#[derive(Default)]
pub struct Trouble {
    pub delayed: AtomicU64,
    pub lost: AtomicU64,
    pub cut: AtomicU64,
}

/// A TCP proxy over a bad link.
pub struct BadLink {
    pub port: u16,
    pub trouble: Arc<Trouble>,
    weather: watch::Sender<Option<Weather>>,
}

impl BadLink {
    /// Passes everything on at once until the weather turns.
    pub async fn to(target: u16, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (trouble, (weather, seen)) = (Arc::<Trouble>::default(), watch::channel(None));
        let mut rng = SmallRng::seed_from_u64(seed);
        let shared = trouble.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else { continue };
                let rng = SmallRng::seed_from_u64(rng.random());
                tokio::spawn(pass(client, server, seen.clone(), shared.clone(), rng));
            }
        });
        Self { port, trouble, weather }
    }

    /// Connections that are open are cut when their time under the new weather is over.
    pub fn turns(&self, weather: Option<Weather>) {
        self.weather.send_replace(weather);
    }
}

async fn pass(
    client: TcpStream,
    server: TcpStream,
    mut weather: watch::Receiver<Option<Weather>>,
    trouble: Arc<Trouble>,
    mut rng: SmallRng,
) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let seeds: [u64; 2] = rng.random();
    let up = one_way(from_client, to_server, weather.clone(), trouble.clone(), SmallRng::seed_from_u64(seeds[0]));
    let down = one_way(from_server, to_client, weather.clone(), trouble.clone(), SmallRng::seed_from_u64(seeds[1]));
    let cut = async {
        loop {
            let now = *weather.borrow_and_update();
            let life = now.map_or(Duration::from_hours(1), |now| now.cut_within.mul_f64(rng.random_range(0.1..1.0)));
            tokio::select! {
                () = tokio::time::sleep(life) => return,
                changed = weather.changed() => if changed.is_err() { std::future::pending::<()>().await },
            }
        }
    };
    tokio::select! {
        _ = async { tokio::join!(up, down) } => {}
        () = cut => drop(trouble.cut.fetch_add(1, Ordering::Relaxed)),
    }
}

/// Pieces in their order, each late. What is on its way when the link is cut is lost.
async fn one_way(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    weather: watch::Receiver<Option<Weather>>,
    trouble: Arc<Trouble>,
    mut rng: SmallRng,
) {
    let (pieces, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(64);
    let read = async move {
        let mut free = Instant::now();
        let mut buffer = vec![0; 1400];
        while let Ok(n @ 1..) = from.read(&mut buffer).await {
            let mut due = Instant::now();
            let now = *weather.borrow();
            if let Some(now) = now {
                let takes = Duration::from_secs_f64(n as f64 / now.bytes_per_second as f64);
                free = free.max(due) + takes;
                due = free + Duration::from_millis(rng.random_range(now.delay.0..=now.delay.1));
                trouble.delayed.fetch_add(1, Ordering::Relaxed);
                if rng.random_ratio(1, now.lost) {
                    due += now.again;
                    trouble.lost.fetch_add(1, Ordering::Relaxed);
                }
            }
            if pieces.send((due, buffer[..n].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let write = async {
        while let Some((due, piece)) = arriving.recv().await {
            sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
