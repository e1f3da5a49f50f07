//! Three real MariaDB Galera nodes on loopback, each with its own data and ports.
//!
//! A node that joins is brought up to date by the writes it lacks (IST) where a peer has them still, else by a copy of a
//! peer's files (SST by rsync). A node that was killed is first asked for its last position, as systemd's unit does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sqlx::{Connection as _, MySqlConnection};
use tempfile::TempDir;

use crate::support::backend::GALERA as PROVIDER;
use crate::support::services::{OwnMariaDb, lasting_port};
use crate::support::until;

pub const NODES: usize = 3;
/// As whom the nodes run if this is root: started by root, the rsync daemon that brings a node up to date would become
/// nobody, who cannot write there.
const OTHER: &str = "mysql";
const JOINED: Duration = Duration::from_secs(90);

pub struct Node {
    pub mariadb: OwnMariaDb,
    dir: PathBuf,
    /// Of the group's own links.
    port: u16,
}

pub struct Cluster {
    pub nodes: Vec<Node>,
    _dir: TempDir,
}

impl Cluster {
    /// All three, in step. Panics if Galera is not installed.
    pub async fn start() -> Self {
        assert!(Path::new(PROVIDER).exists(), "Galera is not installed: package galera-4");
        let dir = tempfile::tempdir().expect("a directory");
        let ports: [u16; NODES] = std::array::from_fn(|_| lasting_port());
        let all = ports.map(|port| format!("127.0.0.1:{port}")).join(",");
        let nodes: Vec<_> =
            ports.iter().enumerate().map(|(number, port)| node(dir.path(), number, *port, &all)).collect();
        let first = &nodes[0];
        OwnMariaDb::install(&first.dir);
        if is_root() {
            let given = Command::new("chown").args(["-R", OTHER]).arg(dir.path()).status();
            assert!(given.is_ok_and(|status| status.success()), "chown to {OTHER}, the user of package mariadb-server");
        }
        first.mariadb.launch(&["--wsrep-new-cluster"]);
        first.synced(1).await;
        first.mariadb.stop().await;
        for other in &nodes[1..] {
            // The same files at the same position: nobody has to be brought up to date.
            let copied = Command::new("cp").arg("-a").arg(first.data()).arg(other.data()).status();
            assert!(copied.is_ok_and(|status| status.success()), "cp");
        }
        let cluster = Self { nodes, _dir: dir };
        cluster.nodes[0].mariadb.launch(&["--wsrep-new-cluster"]);
        cluster.nodes[0].synced(1).await;
        for (number, other) in cluster.nodes.iter().enumerate().skip(1) {
            other.mariadb.launch(&[]);
            other.synced(number + 1).await;
        }
        cluster
    }

    /// The same database, as each node knows it.
    pub fn urls(&self, first: &str) -> Vec<String> {
        let name = first.rsplit('/').next().expect("a database");
        self.nodes.iter().map(|node| format!("{}/{name}", node.mariadb.url)).collect()
    }

    /// Waits until all are in step again.
    pub async fn whole(&self) {
        for node in &self.nodes {
            node.synced(NODES).await;
        }
    }

    /// Starts it again after all were killed: first the node that has stored the most, then those that lack the rest.
    pub async fn bootstrap_again(&self) {
        let positions: Vec<_> = tokio::task::block_in_place(|| self.nodes.iter().map(Node::position).collect());
        let number = |position: &String| position.rsplit(':').next().and_then(|n| n.parse::<i64>().ok());
        let (safe, position) = positions.iter().enumerate().max_by_key(|(_, at)| number(at)).expect("three nodes");
        self.nodes[safe].bootstrap(position);
        self.nodes[safe].synced(1).await;
        for (node, position) in
            self.nodes.iter().zip(&positions).enumerate().filter(|(n, _)| *n != safe).map(|(_, it)| it)
        {
            node.mariadb.launch(&[&format!("--wsrep-start-position={position}")]);
            // One after the other: a donor serves one.
            until("a node to join", JOINED, || async {
                assert!(!node.mariadb.has_ended(), "it ended: {}", node.last_words());
                (node.status("wsrep_local_state_comment").await? == "Synced").then_some(())
            })
            .await;
        }
        self.whole().await;
    }

    /// A counter, of all nodes together.
    pub async fn sum(&self, name: &str) -> u64 {
        let mut sum = 0;
        for node in &self.nodes {
            sum += node.status(name).await.and_then(|value| value.parse::<u64>().ok()).unwrap_or(0);
        }
        sum
    }
}

fn node(dir: &Path, number: usize, port: u16, all: &str) -> Node {
    let dir = dir.join(format!("node{number}"));
    std::fs::create_dir_all(&dir).expect("a directory");
    let provider = format!(
        "--wsrep-provider-options=base_host=127.0.0.1;base_port={port};gmcast.listen_addr=tcp://127.0.0.1:{port};\
         ist.recv_addr=127.0.0.1:{};gcache.size=64M",
        lasting_port()
    );
    let settings = [
        "--innodb-flush-log-at-trx-commit=1",
        "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=16M",
        "--innodb-autoinc-lock-mode=2",
        "--binlog-format=ROW",
        "--max-connections=200",
        "--wsrep-on=ON",
        "--wsrep-cluster-name=chatd-faults",
        "--wsrep-sst-method=rsync",
        &format!("--wsrep-provider={PROVIDER}"),
        &format!("--wsrep-cluster-address=gcomm://{all}"),
        &format!("--wsrep-node-name=node{number}"),
        "--wsrep-node-address=127.0.0.1",
        &format!("--wsrep-sst-receive-address=127.0.0.1:{}", lasting_port()),
        &provider,
        &format!("--user={OTHER}"),
    ];
    // Only root becomes somebody else.
    let settings = &settings[..settings.len() - usize::from(!is_root())];
    Node { mariadb: OwnMariaDb::at(&dir, settings), dir, port }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

impl Node {
    fn data(&self) -> PathBuf {
        self.dir.join("mariadb")
    }

    pub async fn connect(&self) -> Option<MySqlConnection> {
        MySqlConnection::connect(&self.mariadb.url).await.ok()
    }

    /// One of its wsrep values; none if it cannot be asked.
    pub async fn status(&self, name: &str) -> Option<String> {
        let mut c = self.connect().await?;
        let sql = "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = ?";
        sqlx::query_scalar(sql).bind(name).fetch_one(&mut c).await.ok()
    }

    /// Runs a statement of an administrator.
    pub async fn run(&self, sql: &str) {
        crate::support::backend::run(&self.mariadb.url, sql).await;
    }

    /// Waits until it is in step, in a cluster of so many.
    pub async fn synced(&self, size: usize) {
        until("a Galera node to be in step", JOINED, || async {
            assert!(!self.mariadb.has_ended(), "a node on port {} ended: {}", self.port, self.last_words());
            let state = self.status("wsrep_local_state_comment").await?;
            let members = self.status("wsrep_cluster_size").await?;
            (state == "Synced" && members == size.to_string()).then_some(())
        })
        .await;
    }

    /// Up to where it has stored what the cluster agreed on, after it was killed: `UUID:NUMBER`.
    pub fn position(&self) -> String {
        let log = self.dir.join("recovery.log");
        let _ = std::fs::remove_file(&log);
        let done = self.mariadb.command(&["--wsrep-recover"]).arg(format!("--log-error={}", log.display())).status();
        assert!(done.is_ok_and(|status| status.success()), "mariadbd --wsrep-recover");
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let found = text.lines().rev().find_map(|line| line.split_once("Recovered position:"));
        found.map_or_else(|| panic!("no position in {text}"), |(_, position)| position.trim().to_owned())
    }

    /// Starts it again after it was killed; it joins its peers.
    pub fn rejoin(&self) {
        let position = tokio::task::block_in_place(|| self.position());
        self.mariadb.launch(&[&format!("--wsrep-start-position={position}")]);
    }

    /// Starts a new cluster from this node's data: only for the one that is furthest.
    pub fn bootstrap(&self, position: &str) {
        let path = self.data().join("grastate.dat");
        let state = std::fs::read_to_string(&path).expect("its state");
        std::fs::write(&path, state.replace("safe_to_bootstrap: 0", "safe_to_bootstrap: 1")).expect("its state");
        self.mariadb.launch(&["--wsrep-new-cluster", &format!("--wsrep-start-position={position}")]);
    }

    /// What all nodes say of errors and of state transfers.
    fn last_words(&self) -> String {
        let logs = std::fs::read_dir(self.dir.parent().expect("of the cluster")).into_iter().flatten().flatten();
        let logs = logs.filter_map(|node| std::fs::read_to_string(node.path().join("mariadb.log")).ok());
        let telling = |line: &&str| ["ERROR", "SST", "rsync:"].iter().any(|word| line.contains(word));
        let lines: Vec<_> =
            logs.flat_map(|log| log.lines().filter(telling).map(str::to_owned).collect::<Vec<_>>()).collect();
        lines.join("\n")
    }
}
