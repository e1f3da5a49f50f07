//! Passwords: how they are kept, what checking them costs, and the server's own secret.

use std::time::Duration;

use chatd::domain::{Clock as _, NewUser, SystemClock, Username};
use chatd::store::Users as _;
use libtest_mimic::Trial;
use serde_json::json;

use super::{chatd, chatd_ok, column, once};
use crate::support::backend::{Backend, Database};
use crate::support::server::{Client, LOOSE, Server, World, command, password};

pub fn trials() -> Vec<Trial> {
    once![
        s01_argon2id_with_its_parameters,
        s01_a_django_hash_is_accepted_once_and_replaced,
        s02_two_hundred_sign_ins_at_once_need_bounded_memory,
        s02_hashing_steps_back_behind_the_rest,
        s36_the_secret_is_made_for_its_owner_alone,
        s36_a_secret_that_others_can_read_is_reported,
        s36_known_and_short_secrets_are_refused,
        s36_no_secret_in_arguments_or_log,
    ]
}

const HASHES: &str = "SELECT password_hash FROM users ORDER BY id";
const SIGN_IN: &str = "/api/v1/session/";

async fn s01_argon2id_with_its_parameters() {
    let world = World::new(Backend::Sqlite).await;
    for name in ["carla", "cecil"] {
        chatd_ok(&world, &[], &["user", "add", name, "--password-stdin"], "correct horse battery\n");
    }
    let hashes = column(&world.database, HASHES).await;
    assert_eq!(hashes.len(), 2);
    for hash in &hashes {
        assert!(hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{hash}");
        let salt = hash.split('$').nth(4).expect("a salt");
        assert!(salt.len() >= 22, "16 bytes of salt: {hash}");
    }
    assert_ne!(hashes[0], hashes[1], "one password, two salts");
    let carla = Client::new(&world.server.url);
    carla.post(SIGN_IN, &json!({"username": "carla", "password": "correct horse battery"})).await.expect(200);
    assert_eq!(column(&world.database, HASHES).await, hashes, "a current hash stays");
}

async fn s01_a_django_hash_is_accepted_once_and_replaced() {
    let world = World::new(Backend::Sqlite).await;
    let old = "pbkdf2_sha256$1000$NaCl4tableUse$OdOElgwoJzJ6Q0dlEcFeSWVFtz6Srml6+DkB+F2/iGA=";
    let new = NewUser {
        username: Username::new("yuki").expect("a legal name"),
        password_hash: old.to_owned(),
        email: String::new(),
        is_staff: false,
        is_superuser: false,
    };
    world.database.store().await.add_user(&new, SystemClock.now()).await.expect("the user is new");
    let sign_in = async |password: &str| {
        Client::new(&world.server.url).post(SIGN_IN, &json!({"username": "yuki", "password": password})).await.status
    };
    assert_eq!(sign_in("wrong").await, 400);
    assert_eq!(column(&world.database, HASHES).await, [old], "a wrong password changes nothing");
    assert_eq!(sign_in("ゆきのパスワード").await, 200);
    let replaced = column(&world.database, HASHES).await.remove(0);
    assert!(replaced.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{replaced}");
    assert_eq!((sign_in("ゆきのパスワード").await, sign_in("wrong").await), (200, 400));
    assert_eq!(column(&world.database, HASHES).await, [replaced]);
}

/// A line of `/proc/PID/status`, in KiB.
fn memory(server: &Server, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("the process lives");
    let line = status.lines().find_map(|l| l.strip_prefix(line)).expect("the line is there");
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("a number")
}

async fn s02_two_hundred_sign_ins_at_once_need_bounded_memory() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    // Four: no account has that many tries at once.
    for name in NAMES {
        world.add(name).await;
    }
    let idle = memory(&world.server, "VmRSS");
    let answers = sign_ins(&world.server.url, 200).await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 100, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 400).count(), 100, "{answers:?}");
    // The highest it has ever been, so nothing between two looks is missed.
    let more = memory(&world.server, "VmHWM").saturating_sub(idle);
    assert!(more > 40 * 1024, "{more} KiB more: no password was hashed in this process");
    // One or two at once, and each once more where something else keeps all processors.
    let at_once = std::thread::available_parallelism().map_or(1, |processors| processors.get() / 2).clamp(1, 2);
    assert!(more <= (2 * at_once as u64 * 46 + 64) * 1024, "{more} KiB more than idle");
}

const NAMES: [&str; 4] = ["ann", "bob", "carla", "cecil"];

/// So many sign-ins at once, every other one with a wrong password: what they were answered.
async fn sign_ins(url: &str, count: usize) -> Vec<u16> {
    let tries = (0..count).map(|i| {
        let client = Client::patient(url, Duration::from_mins(3));
        async move {
            let name = NAMES[i / 2 % NAMES.len()];
            let password = if i % 2 == 0 { password(name) } else { "wrong".to_owned() };
            client.post(SIGN_IN, &json!({"username": name, "password": password})).await.status
        }
    });
    futures_util::future::join_all(tries).await
}

/// Scheduling policies of the threads of a server that hash passwords, or of all others.
fn policies(server: &Server, of_hashing: bool) -> Vec<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).expect("the process lives").flatten();
    // A thread may end meanwhile.
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
    let parsed = stats.filter_map(|stat| {
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let policy = rest.split_whitespace().nth(38)?.parse().ok()?;
        ((name == "chatd-hash") == of_hashing).then_some(policy)
    });
    parsed.collect()
}

const SCHED_IDLE: i32 = 5;

async fn s02_hashing_steps_back_behind_the_rest() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    world.add("ann").await;
    let url = world.server.url.clone();
    let running = tokio::spawn(async move { sign_ins(&url, 40).await });
    let mut seen = 0;
    while !running.is_finished() {
        // One that has just begun has not stepped back yet.
        seen += usize::from(policies(&world.server, true).contains(&SCHED_IDLE));
        let others = policies(&world.server, false);
        assert!(!others.contains(&SCHED_IDLE), "{others:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(running.await.expect("answers").len(), 40);
    assert!(seen > 5, "{seen} looks found a thread that hashes");
}

async fn s36_the_secret_is_made_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new(Backend::Sqlite).await;
    let data = world.dir.path().join("data");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let file = data.join("secret_key");
    assert_eq!((mode(&data), mode(&file)), (0o700, 0o600));
    let secret = std::fs::read_to_string(&file).expect("it can be read");
    assert!(secret.trim().len() >= 64 && secret.trim().bytes().all(|b| b.is_ascii_hexdigit()), "256 bits");
    let other = World::new(Backend::Sqlite).await;
    let others = std::fs::read_to_string(other.dir.path().join("data/secret_key")).expect("it can be read");
    assert_ne!(secret, others, "each installation has its own");
}

async fn s36_a_secret_that_others_can_read_is_reported() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new(Backend::Sqlite).await;
    assert!(!world.server.log().contains("secret_key"), "the one that was made is its owner's");
    let file = world.dir.path().join("data/secret_key");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("a mode is set");
    world.server.kill();
    let again = Server::start(&world.database, world.dir.path(), &[]);
    assert!(again.log().contains("secret_key; run: chmod 600"), "{}", again.log());
}

async fn s36_known_and_short_secrets_are_refused() {
    let database = Database::new(Backend::Sqlite).await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    for bad in ["ABC1234", "short", &"x".repeat(31)] {
        let mut refused = command(&database, dir.path(), &[("SECRET_KEY", bad)]);
        let done = refused.args(["serve", "--port", "0"]).output().expect("chatd runs");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(78), "{said}");
        assert!(said.contains("SECRET_KEY") && !said.contains(bad), "{said}");
    }
    // The same start with a good one.
    drop(Server::start(&database, dir.path(), &[("SECRET_KEY", &"x".repeat(32))]));
}

async fn s36_no_secret_in_arguments_or_log() {
    let database = Database::new(Backend::Sqlite).await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let canary = "canary-secret-0123456789-0123456789";
    let server = Server::start(&database, dir.path(), &[("SECRET_KEY", canary), ("LOG", "debug")]);
    let world = World { server, database, dir };
    let password = "canary-password-77";
    chatd_ok(&world, &[], &["user", "add", "ann", "--password-stdin"], password);
    let ann = Client::new(&world.server.url);
    ann.post(SIGN_IN, &json!({"username": "ann", "password": password})).await.expect(200);
    ann.post(SIGN_IN, &json!({"username": "ann", "password": "canary-password-78"})).await.expect(400);
    let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", world.server.pid())).expect("it lives");
    assert!(arguments.contains("serve") && !arguments.contains("canary"), "{arguments}");
    let log = world.server.log();
    assert!(log.contains(SIGN_IN), "the log was not found: {log}");
    assert!(!log.contains("canary"), "{log}");
    let refused = chatd(&world, &[("PORT", "canary"), ("SECRET_KEY", canary)], &["user", "list"], "");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("PORT") && !said.contains(canary), "{said}");
}
