//! What all processes have counted, in Redis: one script call for each request, many of them in one packet.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Kind, Rate};
use crate::domain::UserId;

/// How long somebody's request waits for Redis. When it took longer nobody waits until it has answered again. Much more
/// than it ever takes: a machine that has much to do is no reason to count apart.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long Redis may take to answer a new connection, and how long it is left alone after it did not.
const CONNECT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(500);

/// [`Rate::take`], by the clock of Redis, so that all processes have the same one. Returns 0, or the microseconds to wait.
const TAKE: &str = "\
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local cost, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local owed = (tonumber(redis.call('GET', KEYS[1]) or '0') or 0) - now
if owed < 0 or owed > burst + 60000000 then owed = 0 end
if owed > burst - cost then return owed - burst + cost end
redis.call('SET', KEYS[1], string.format('%.0f', now + owed + cost), 'PX', math.ceil((owed + cost) / 1000))
return 0";

/// Gone, or there.
type Line = Arc<RwLock<Option<MultiplexedConnection>>>;

pub(super) struct Shared {
    prefix: String,
    line: Line,
    broken: Arc<Notify>,
}

impl Shared {
    /// Starts to connect; none if the address cannot be used.
    pub(super) fn start(url: &str, install: &str) -> Option<Self> {
        let client = redis::Client::open(url).ok()?;
        let (line, broken) = (Line::default(), Arc::new(Notify::new()));
        let prefix = format!("chatd:{install}:limit");
        tokio::spawn(keep(client, format!("{prefix}:probe"), line.clone(), broken.clone()));
        Some(Self { prefix, line, broken })
    }

    /// None: Redis did not say.
    pub(super) async fn take(&self, kind: Kind, user: UserId, rate: Rate) -> Option<Result<(), i64>> {
        let mut line = self.line.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let command = count(&format!("{}:{}:{user}", self.prefix, kind.name()), rate);
        match timeout(PATIENCE, command.query_async::<i64>(&mut line)).await {
            Ok(Ok(0)) => Some(Ok(())),
            Ok(Ok(wait)) => Some(Err(wait)),
            failed => {
                let was_there = self.line.write().unwrap_or_else(PoisonError::into_inner).take().is_some();
                // Said once, by whoever found out.
                if was_there {
                    let why = failed.map_or_else(
                        |_| "it takes too long".to_owned(),
                        |failed| failed.err().map_or_else(String::new, |e| e.to_string()),
                    );
                    tracing::warn!(error = why, "Redis does not count: each process limits its users by itself");
                    self.broken.notify_one();
                }
                None
            }
        }
    }
}

/// Connects, as often as it takes. A connection is used when Redis has counted on it.
async fn keep(client: redis::Client, probe: String, line: Line, broken: Arc<Notify>) {
    let mut is_known = false;
    // The other holder is whoever counts.
    while Arc::strong_count(&line) > 1 {
        let connect = async {
            let config = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
            let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
            let rate = Rate { cost: 1, burst: 1_000_000 };
            count(&probe, rate).query_async::<i64>(&mut connection).await?;
            redis::RedisResult::Ok(connection)
        };
        match timeout(CONNECT, connect).await {
            Ok(Ok(connection)) => {
                is_known = false;
                tracing::info!("Redis counts for all processes");
                *line.write().unwrap_or_else(PoisonError::into_inner) = Some(connection);
                broken.notified().await;
                continue;
            }
            failed if !is_known => {
                is_known = true;
                let why = failed
                    .map_or_else(|e| e.to_string(), |failed| failed.err().map_or_else(String::new, |e| e.to_string()));
                tracing::warn!(error = why, "Redis does not count yet: each process limits its users by itself");
            }
            _ => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The call that takes one from the allowance of this name.
fn count(name: &str, rate: Rate) -> redis::Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(TAKE).arg(1).arg(name).arg(rate.cost).arg(rate.burst);
    command
}
