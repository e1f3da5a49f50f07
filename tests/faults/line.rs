//! The line between two processes and a Redis of their own, with everything on it that can go wrong.

use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use crate::site::{Plan, Site};
use crate::support::proxy::Proxy;
use crate::support::redis_proxy::RedisProxy;
use crate::support::services::{OwnRedis, free_port};
use crate::support::until;

/// What a process calls itself without Redis.
pub const ALONE: &str = "degraded: no bus";

/// Both processes call themselves by this word; how long that took.
pub async fn both(site: &Site, word: &str) -> Duration {
    let started = Instant::now();
    tokio::join!(site.ready(0, word), site.ready(1, word));
    started.elapsed()
}

const PROCESSES: usize = 2;

pub struct Line {
    pub proxy: Proxy,
    pub words: RedisProxy,
    /// A connection past the proxies.
    pub redis: MultiplexedConnection,
    _redis: OwnRedis,
    _dir: TempDir,
}

impl Line {
    pub async fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let redis = OwnRedis::start(free_port(), dir.path());
        let words = RedisProxy::to(redis.port, seed).await;
        let proxy = Proxy::to(format!("127.0.0.1:{}", words.port)).await;
        let client = redis::Client::open(redis.url()).expect("an address");
        // It waits for a Redis that pauses.
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let connection = client.get_multiplexed_async_connection_with_config(&config).await.expect("a connection");
        Self { proxy, words, redis: connection, _redis: redis, _dir: dir }
    }

    /// Two processes at the other end.
    pub async fn site(&self, plan: Plan) -> Site {
        let url = format!("redis://127.0.0.1:{}", self.proxy.port);
        let site = Site::new(Plan { processes: PROCESSES, ..plan }.with("REDIS_URL", &url)).await;
        both(&site, "ok").await;
        site
    }

    /// Redis answers nobody for so long; how long it did not answer us.
    pub async fn pause(&self, time: Duration) -> Duration {
        let mut redis = self.redis.clone();
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        redis::cmd("CLIENT").arg("PAUSE").arg(millis).arg("ALL").exec_async(&mut redis).await.expect("it pauses");
        let started = Instant::now();
        redis::cmd("PING").exec_async(&mut redis).await.expect("it goes on");
        started.elapsed()
    }

    /// Every channel that somebody listens to.
    pub async fn channels(&self) -> Vec<String> {
        let mut redis = self.redis.clone();
        let channels = redis::cmd("PUBSUB").arg("CHANNELS").arg("chatd:*").query_async(&mut redis).await;
        channels.expect("a list")
    }

    /// Connections that have subscribed, by number.
    pub async fn listeners(&self) -> Vec<String> {
        let mut redis = self.redis.clone();
        let list = redis::cmd("CLIENT").arg("LIST").arg("TYPE").arg("pubsub").query_async(&mut redis).await;
        let list: String = list.expect("a list");
        let subscribed = list.lines().filter(|line| !line.contains(" sub=0 "));
        subscribed.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    }

    /// Both processes say that all is well, and each listens on another connection than these. A process that has not
    /// noticed yet says so too.
    pub async fn again(&self, site: &Site, before: &[String]) {
        until("both processes to listen again", Duration::from_secs(20), || async {
            let fresh = self.listeners().await.into_iter().filter(|id| !before.contains(id)).count();
            (fresh >= PROCESSES).then_some(())
        })
        .await;
        both(site, "ok").await;
    }

    /// Says more at once than Redis keeps for a listener, until Redis has ended every connection that listened; how
    /// many those were.
    pub async fn kick(&self) -> u64 {
        let mut redis = self.redis.clone();
        let limit = ["SET", "client-output-buffer-limit", "pubsub 1mb 1mb 60"];
        redis::cmd("CONFIG").arg(&limit).exec_async(&mut redis).await.expect("it takes the limit");
        let before = self.listeners().await;
        let flood = "for i = 1, 40000 do redis.call('publish', ARGV[1], '1') end";
        for channel in self.channels().await {
            redis::cmd("EVAL").arg(flood).arg(0).arg(channel).exec_async(&mut redis).await.expect("it says it all");
            let now = self.listeners().await;
            if !before.iter().any(|id| now.contains(id)) {
                break;
            }
        }
        until("Redis to end the connections of its listeners", Duration::from_secs(10), || async {
            let now = self.listeners().await;
            (!before.iter().any(|id| now.contains(id))).then_some(())
        })
        .await;
        before.len() as u64
    }
}
