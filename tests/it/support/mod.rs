//! The harness: backends, and waiting for conditions.

#[allow(dead_code, reason = "tests/faults sign in with a password alone")]
pub mod authenticator;
pub mod backend;
pub mod device;
#[allow(dead_code, reason = "tests/faults sign in with a password alone")]
pub mod factors;
pub mod proxy;
#[allow(dead_code, reason = "the tests use a part of it, and `scripts/faults` all of it")]
pub mod redis_proxy;
pub mod server;
pub mod services;
#[allow(dead_code, reason = "tests/faults send no mail")]
pub mod smtp;
pub mod socket;
pub mod stuck;

use std::future::Future;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

/// A test from an async function. A panic is its failure.
pub fn trial<F, Fut>(name: impl Into<String>, test: F) -> Trial
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    Trial::test(name.into(), move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async { tokio::spawn(test()).await }).map_err(|e| {
            let panic = e.try_into_panic().map_err(|e| Failed::from(e.to_string()));
            match panic {
                Ok(panic) => {
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                    Failed::from(text.unwrap_or_else(|| "panicked".to_owned()))
                }
                Err(failed) => failed,
            }
        })
    })
}

/// Waits until `ready` gives a value; panics with `what` after `limit`.
pub async fn until<T, Fut>(what: &str, limit: Duration, mut ready: impl FnMut() -> Fut) -> T
where
    Fut: Future<Output = Option<T>>,
{
    let started = Instant::now();
    loop {
        if let Some(value) = ready().await {
            return value;
        }
        assert!(started.elapsed() < limit, "waited {limit:?} for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
