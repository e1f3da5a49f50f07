//! Points at which `scripts/faults` ends a process. Without the feature `faults` a point is nothing; with it a release
//! build is refused, so that no released program can contain one.

/// Where a process may be made to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The heads are locked and the numbers given; nothing is written.
    BeforeInsert,
    /// Everything is written in the transaction.
    AfterInsert,
    BeforeCommit,
    /// Durable; nobody knows.
    AfterCommit,
    /// The store has answered; no socket has been told.
    BeforeNotify,
    /// Sockets have been told; the sender has no answer.
    BeforeResponse,
}

#[cfg(all(feature = "faults", not(debug_assertions)))]
compile_error!("the feature `faults` ends and corrupts on purpose: it is for debug builds alone");

/// A point that is passed.
#[cfg(not(feature = "faults"))]
pub const fn passed(_: Point) {}

/// A point that is passed; the last thing that this process does if `CHATD_FAULT_POINT` is `POINT:N` and this is the
/// N-th time.
#[cfg(feature = "faults")]
pub fn passed(point: Point) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static PASSED: AtomicU64 = AtomicU64::new(0);
    static ARMED: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let armed = given("CHATD_FAULT_POINT")?;
        let (name, times) = armed.split_once(':')?;
        Some((name.to_owned(), times.parse().ok()?))
    });
    let Some((name, times)) = &*ARMED else { return };
    if *name == format!("{point:?}") && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *times {
        eprintln!("ends at {name}");
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal is on its way: nothing more is to happen here.
        loop {
            std::thread::park();
        }
    }
}

/// Whether the server is to behave as if it had this bug: `CHATD_FAULT_BUG`.
#[cfg(feature = "faults")]
pub fn has_bug(name: &str) -> bool {
    static BUG: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| given("CHATD_FAULT_BUG"));
    BUG.as_deref() == Some(name)
}

#[cfg(feature = "faults")]
#[expect(clippy::disallowed_methods, reason = "not a setting: no released program reads it")]
fn given(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
