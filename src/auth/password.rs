//! Password hashing: argon2id, and Django's PBKDF2 for accounts that come from the predecessor.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
#[cfg(target_os = "linux")]
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::Semaphore;

use super::common::COMMON;

/// 46 MiB, one pass, one lane: OWASP's first choice for argon2id.
const MEMORY_KIB: u32 = 46 * 1024;
/// How many are hashed at once, at most: bounds the memory.
const AT_ONCE: usize = 2;

/// Half of the processors, one or two: the other half is free at once for a message. Priority alone is not enough: each
/// of the dozen threads that a message is handed to would wait until the system takes a processor from a hash.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get() / 2).clamp(1, AT_ONCE)
}

/// How far hashing steps back behind everything else: with 10, a ninth of the processor is left to it.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;
/// When so many more wait, hashing steps back all the way.
const CROWD: usize = 2;

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("This password is too short. It must contain at least 8 characters.")]
    Short,
    #[error("This password is too long. It must contain at most 128 characters.")]
    Long,
    #[error("This password is too common.")]
    Common,
    #[error("The password is too similar to the username.")]
    LikeName,
}

/// Refuses what is guessed first. Says nothing about kinds of characters.
pub fn check_strength(password: &str, username: &str) -> Result<(), WeakPassword> {
    let length = password.chars().count();
    let (lower, name) = (password.to_lowercase(), username.to_lowercase());
    if length < 8 {
        Err(WeakPassword::Short)
    } else if length > 128 {
        Err(WeakPassword::Long)
    } else if COMMON.contains(&lower.as_str()) {
        Err(WeakPassword::Common)
    } else if name.chars().count() >= 4 && (lower == name || (lower.contains(&name) && length < name.len() + 4)) {
        Err(WeakPassword::LikeName)
    } else {
        Ok(())
    }
}

/// The system starts no thread: nothing true can be said of a password now.
#[derive(Clone, Debug, thiserror::Error)]
#[error("a password cannot be hashed: {0}")]
pub struct NoThread(String);

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub is_right: bool,
    /// A better hash of the same password, when the stored one is outdated.
    pub rehashed: Option<String>,
}

/// Hashes on threads of its own, a few at a time, stepping back behind the rest of the program (on Linux): messages go
/// first. Clones share the limit.
#[derive(Clone)]
pub struct Hasher {
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

/// Counts somebody who waits for a slot, and no longer when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn one_more(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(at_once())), waiting: Arc::default() }
    }
}

impl Hasher {
    /// A new hash, in PHC form.
    pub async fn hash(&self, password: &str) -> Result<String, NoThread> {
        let password = password.to_owned();
        self.apart(move || hash(&password)).await
    }

    /// Whether the password fits the hash. Without a hash it is compared with one that nothing fits, at the same cost.
    pub async fn verify(&self, hash: Option<String>, password: &str) -> Result<Verdict, NoThread> {
        let password = password.to_owned();
        self.apart(move || verify(hash.as_deref(), &password)).await
    }

    /// A thread for each: it starts in microseconds, a hash takes some ten milliseconds, and its memory and its
    /// priority go with it. The slot goes with the work, so that nobody who stops waiting makes room for one too many.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, NoThread> {
        let waiting = Waiting::one_more(&self.waiting);
        let slot = self.slots.clone().acquire_owned().await.map_err(|e| NoThread(e.to_string()))?;
        drop(waiting);
        let crowd = self.waiting.load(Ordering::Relaxed) >= CROWD;
        let (done, result) = tokio::sync::oneshot::channel();
        let thread = std::thread::Builder::new().name("chatd-hash".to_owned()).spawn(move || {
            step_back(crowd);
            let value = work();
            drop(slot);
            // Whoever asked may have gone.
            let _ = done.send(value);
        });
        thread.map_err(|e| NoThread(e.to_string()))?;
        result.await.map_err(|e| NoThread(e.to_string()))
    }
}

/// Lets the rest of the program go first. A little always: then one who signs in has a ninth of a processor however busy
/// the others are. In a crowd this thread runs only while nothing else wants the processor, and whatever wakes up takes
/// its place at once; a thread of any other priority may finish its slice of some milliseconds first. Where that is
/// forbidden, hashing competes with the rest.
fn step_back(crowd: bool) {
    #[cfg(target_os = "linux")]
    {
        if let Err(e) = rustix::process::nice(STEP_BACK) {
            tracing::debug!(error = %e, "passwords are hashed at the priority of everything else");
        }
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        if crowd && let Err(e) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
            tracing::debug!(error = ?e, "messages wait for passwords that are hashed");
        }
    }
}

fn argon() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, 1, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// NFC, so that an accent typed on one keyboard is the accent typed on another.
fn normal(password: &str) -> String {
    unicode_normalization::UnicodeNormalization::nfc(password).collect()
}

/// An empty hash (which nothing fits) if the system has no randomness left.
fn hash(password: &str) -> String {
    let Ok(salt) = SaltString::encode_b64(&rand::random::<[u8; 16]>()) else { return String::new() };
    argon().hash_password(normal(password).as_bytes(), &salt).map(|hash| hash.to_string()).unwrap_or_default()
}

fn verify(stored: Option<&str>, password: &str) -> Verdict {
    let stored = stored.unwrap_or_default();
    if stored.starts_with("pbkdf2_sha256$") {
        let is_right = verify_django(stored, password).unwrap_or(false);
        return Verdict { is_right, rehashed: is_right.then(|| hash(password)) };
    }
    let Ok(parsed) = PasswordHash::new(stored) else {
        // Unusable, or no such user: cost what a check costs.
        drop(hash(password));
        return Verdict::default();
    };
    let is_right = argon().verify_password(normal(password).as_bytes(), &parsed).is_ok();
    let current = Params::try_from(&parsed).is_ok_and(|p| (p.m_cost(), p.t_cost(), p.p_cost()) == (MEMORY_KIB, 1, 1))
        && parsed.algorithm == argon2::ARGON2ID_IDENT;
    Verdict { is_right, rehashed: (is_right && !current).then(|| hash(password)) }
}

/// `pbkdf2_sha256$ITERATIONS$SALT$HASH`; none if it has another shape.
fn verify_django(stored: &str, password: &str) -> Option<bool> {
    let mut parts = stored.split('$').skip(1);
    let rounds: u32 = parts.next()?.parse().ok()?;
    let (salt, expected) = (parts.next()?, STANDARD.decode(parts.next()?).ok()?);
    // More than Django has ever used is a way to keep this server busy.
    if parts.next().is_some() || !(1..=2_000_000).contains(&rounds) || expected.len() != 32 {
        return None;
    }
    let found = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt.as_bytes(), rounds);
    Some(found.ct_eq(expected.as_slice()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_alone() {
        let stored = hash("correct horse");
        assert!(stored.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{stored}");
        assert_eq!(verify(Some(&stored), "correct horse"), Verdict { is_right: true, rehashed: None });
        assert!(!verify(Some(&stored), "correct horsf").is_right);
        let accent = hash("\u{e9}tude-1");
        assert!(verify(Some(&accent), "e\u{301}tude-1").is_right, "NFC");
    }

    #[test]
    fn djangos_hash_is_accepted_and_replaced() {
        let stored = "pbkdf2_sha256$1000$NaCl4tableUse$OdOElgwoJzJ6Q0dlEcFeSWVFtz6Srml6+DkB+F2/iGA=";
        let verdict = verify(Some(stored), "ゆきのパスワード");
        assert!(verdict.is_right);
        assert!(verify(verdict.rehashed.as_deref(), "ゆきのパスワード").is_right);
        assert_eq!(verify(Some(stored), "wrong"), Verdict::default());
    }

    #[test]
    fn what_is_no_hash_fits_nothing() {
        for stored in ["", "!", "!abcdef", "plain", "pbkdf2_sha256$", "pbkdf2_sha256$x$y$z", "$argon2id$broken"] {
            assert!(!verify(Some(stored), "").is_right, "{stored}");
            assert!(!verify(Some(stored), stored).is_right, "{stored}");
        }
        assert!(!verify(None, "").is_right);
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).unwrap());
        let salt = SaltString::encode_b64(&[1; 16]).unwrap();
        let stored = weaker.hash_password(b"pw", &salt).unwrap().to_string();
        assert!(verify(Some(&stored), "pw").rehashed.is_some(), "rehash on login");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn hashing_steps_back_and_in_a_crowd_all_the_way() {
        const SCHED_IDLE: i32 = 5;
        /// This thread's name, its nice value and its scheduling policy.
        fn thread() -> (String, i32, i32) {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(')').unwrap();
            let field = |n| rest.split_whitespace().nth(n).unwrap().parse().unwrap();
            (name.to_owned(), field(16), field(38))
        }
        let before = thread();
        assert_ne!(before.2, SCHED_IDLE);
        let hasher = Hasher::default();
        let alone = hasher.apart(thread).await.unwrap();
        assert_eq!(alone, ("chatd-hash".to_owned(), (before.1 + STEP_BACK).min(19), before.2));
        let all = hasher.slots.clone().acquire_many_owned(u32::try_from(at_once()).unwrap()).await.unwrap();
        let crowd: Vec<_> = (0..4)
            .map(|_| {
                tokio::spawn({
                    let hasher = hasher.clone();
                    async move { hasher.apart(thread).await.unwrap().2 }
                })
            })
            .collect();
        while hasher.waiting.load(Ordering::Relaxed) < 4 {
            tokio::task::yield_now().await;
        }
        drop(all);
        let mut policies = Vec::new();
        for one in crowd {
            policies.push(one.await.unwrap());
        }
        assert_eq!(policies[0], SCHED_IDLE, "{policies:?}");
        assert_eq!(policies[3], before.2, "nobody waits any more: {policies:?}");
        assert_eq!(hasher.waiting.load(Ordering::Relaxed), 0);
        assert_eq!(thread(), before);
    }

    #[tokio::test]
    async fn who_stops_waiting_makes_no_room() {
        let hasher = Hasher::default();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let ended = Arc::new(std::sync::Mutex::new(ended));
        for _ in 0..at_once() {
            let ended = ended.clone();
            let work = hasher.apart(move || ended.lock().unwrap().recv().is_ok());
            assert!(tokio::time::timeout(std::time::Duration::from_millis(50), work).await.is_err(), "it works");
        }
        assert_eq!(hasher.slots.available_permits(), 0);
        drop(end);
        assert_eq!(hasher.verify(None, "").await.unwrap(), Verdict::default());
    }

    #[test]
    fn weak_passwords() {
        assert_eq!(check_strength("short", "ann"), Err(WeakPassword::Short));
        assert_eq!(check_strength(&"x".repeat(129), "ann"), Err(WeakPassword::Long));
        assert_eq!(check_strength("Password1", "ann"), Err(WeakPassword::Common));
        assert_eq!(check_strength("annabella1", "annabella"), Err(WeakPassword::LikeName));
        assert_eq!(check_strength("ゆきのパスワード", "yuki"), Ok(()));
    }
}
