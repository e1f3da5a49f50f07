//! The command line as an operator meets it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::support::backend::{BOTH, Backend, Database, on_each};
use crate::support::server::{Client, Server, World, add_user, binary, command};
use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("commands::one_command_and_the_first_superuser", one_command_and_the_first_superuser),
        trial("commands::the_binary_needs_no_source_tree", the_binary_needs_no_source_tree),
        trial("commands::demo_shows_two_people", demo_shows_two_people),
        trial("commands::exit_codes", exit_codes),
        trial("commands::a_lost_reader_of_the_log_stops_nothing", a_lost_reader_of_the_log_stops_nothing),
        trial("commands::example_settings_are_complete", example_settings_are_complete),
        trial("commands::a_second_server_on_the_file_is_refused", a_second_server_on_the_file_is_refused),
        trial("commands::the_embedded_database_is_for_its_owner_alone", the_embedded_database_is_for_its_owner_alone),
    ];
    trials.extend(on_each(&BOTH, "commands::accounts", accounts));
    trials.extend(on_each(&BOTH, "commands::the_same_seed_gives_the_same_data", the_same_seed_gives_the_same_data));
    trials.extend(on_each(&BOTH, "commands::unapplied_migrations", unapplied_migrations));
    trials
}

/// `chatd serve 2>&1 | head`, or a log shipper that died: requests, sends and the end go on.
async fn a_lost_reader_of_the_log_stops_nothing() {
    use std::io::{BufRead as _, BufReader};
    let database = Database::new(Backend::Sqlite).await;
    let dir = tempfile::tempdir().expect("a directory");
    let store = database.store().await;
    for name in ["ann", "bob"] {
        add_user(&store, name, false).await;
    }
    let mut serve = command(&database, dir.path(), &[]);
    serve.args(["serve", "--port", "0"]).env("CHATD_LOG", "debug").env("CHATD_DRAIN_SECONDS", "0");
    let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("a line");
    let url = line.trim().rsplit(' ').next().expect("an address").trim_end_matches('/').to_owned();
    drop((child.stderr.take(), out));
    let ann = Client::signed_in(&url, "ann").await;
    for n in 0..5 {
        assert_eq!(ann.say("bob", "still here").await["seq"], n + 1);
        assert_eq!(ann.get("/healthz").await.status, 200);
    }
    let killed = Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
    assert!(killed.success());
    let status = crate::support::until("the server to end", Duration::from_secs(10), || {
        let status = child.try_wait().expect("it can be asked");
        async move { status }
    })
    .await;
    assert_eq!(status.code(), Some(0));
}

/// The plain program in an empty directory: no setting at all.
fn plain(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.current_dir(dir).env_clear().args(args).stdin(Stdio::null());
    command
}

fn run(mut command: Command, input: &str) -> Output {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("it starts");
    // A command that fails at once has closed its input.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

async fn one_command_and_the_first_superuser() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut serve = plain(dir.path(), &["serve", "--port", "0"]);
    let out = dir.path().join("out");
    serve.stdout(std::fs::File::create(&out).expect("a file")).stderr(Stdio::null());
    let mut child = serve.spawn().expect("it starts");
    let link = crate::support::until("the link", Duration::from_secs(20), || async {
        let text = std::fs::read_to_string(&out).ok()?;
        let line = text.lines().find(|line| line.contains("/setup/"))?;
        Some(line.split_whitespace().last()?.to_owned())
    })
    .await;
    assert!(dir.path().join("data/chat.sqlite3").is_file());
    let (base, path) = link.split_at(link.find("/setup/").expect("a path"));
    let client = Client::new(base);
    assert_eq!(client.get("/setup/wrong/").await.status, 404);
    assert_eq!(client.get(path).await.status, 200);
    let token = client.cookie("csrftoken").expect("a token");
    let form = |password: &str, again: &str| {
        format!("csrfmiddlewaretoken={token}&username=Ada&password={password}&password2={again}")
    };
    assert_eq!(client.form(path, &form("short", "short")).await.status, 400);
    assert_eq!(client.form(path, &form("a-good-password", "another-one")).await.status, 400);
    let made = client.form(path, &form("a-good-password", "a-good-password")).await;
    assert_eq!((made.status, made.header("location")), (303, Some("/")), "{}", made.body);
    let me = client.get("/api/v1/session/").await.expect(200);
    assert_eq!((me["user"].as_str(), me["is_superuser"].as_bool()), (Some("Ada"), Some(true)));
    assert_eq!(client.get(path).await.status, 404, "the link works once");
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

async fn the_binary_needs_no_source_tree() {
    let dir = tempfile::tempdir().expect("a directory");
    let copy = dir.path().join("chatd-copy");
    std::fs::copy(binary(), &copy).expect("it can be copied");
    let mut serve = Command::new(&copy);
    serve.current_dir(dir.path()).env_clear().args(["serve", "--demo", "--port", "0"]);
    let server = Server::run(serve, dir.path());
    let client = Client::new(&server.url);
    let login = client.get("/login/").await;
    let asset = login.body.split('"').find(|part| part.starts_with("/static/assets/") && part.contains(".css"));
    let asset = client.get(asset.expect("the page has a style")).await;
    assert_eq!(asset.status, 200);
    assert!(asset.header("cache-control").is_some_and(|value| value.contains("immutable")));
    let gzip = client.send("GET", "/static/favicon.svg", &[("Accept-Encoding", "gzip")], None).await;
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
}

async fn demo_shows_two_people() {
    let dir = tempfile::tempdir().expect("a directory");
    let refused = run(plain(dir.path(), &["serve", "--demo", "--address", "0.0.0.0"]), "");
    assert_eq!(code(&refused), 1, "{}", text(&refused));
    for _ in 0..2 {
        // The second start shows the same people again.
        let server = Server::run(plain(dir.path(), &["serve", "--demo", "--port", "0"]), dir.path());
        let client = Client::new(&server.url);
        let sign_in = serde_json::json!({"username": "ann", "password": "demo-password"});
        client.post("/api/v1/session/", &sign_in).await.expect(200);
        let list = client.get("/api/v1/conversation/").await.expect(200);
        assert!(list["results"].as_array().is_some_and(|all| all.len() > 4), "{list}");
        assert!(list["results"].to_string().contains("\"unread\":2"), "{list}");
    }
}

async fn exit_codes() {
    let dir = tempfile::tempdir().expect("a directory");
    let with = |name: &str, value: &str, args: &[&str]| {
        let mut command = plain(dir.path(), args);
        command.env(name, value);
        run(command, "")
    };
    let usage = run(plain(dir.path(), &["nonsense"]), "");
    assert_eq!(code(&usage), 2);
    let bad = with("CHATD_MESSAGES_TO_LOAD", "many", &["serve"]);
    assert_eq!(code(&bad), 78);
    assert!(text(&bad).contains("MESSAGES_TO_LOAD (environment)"), "{}", text(&bad));
    for (name, address, why) in [
        ("CHATD_DATABASE_URL", "postgres://db/chat", "must begin with"),
        ("CHATD_DATABASE_URL", "sqlite:", "names no file"),
        ("CHATD_DATABASE_URL", "sqlite::memory:", "lost with the process"),
        ("CHATD_DATABASE_URL", "sqlite://chat.sqlite3?mode=ro", "no parameters"),
        ("CHATD_DATABASE_URL", "mysql://root:hidden@db:port/chat", "cannot be used"),
        ("CHATD_DATABASE_URL", "mysql://root:hidden@db/chat?ssl-mode=none", "cannot be used"),
        ("CHATD_DATABASE_URL", "mysql://root:hidden@db", "names no database"),
        ("CHATD_REDIS_URL", "http://cache", "cannot be used"),
        ("CHATD_REDIS_URL", "redis://:hidden@cache:port", "cannot be used"),
    ] {
        let bad = with(name, address, &["user", "list"]);
        assert_eq!(code(&bad), 78, "{address}: {}", text(&bad));
        let key = format!("{} (environment)", name.trim_start_matches("CHATD_"));
        assert!(text(&bad).contains(&key) && text(&bad).contains(why), "{address}: {}", text(&bad));
        assert!(!text(&bad).contains("hidden"), "a password in {}", text(&bad));
    }
    let mut all = plain(dir.path(), &["serve"]);
    all.env("CHATD_DATABASE_URL", "sqlite:").env("CHATD_REDIS_URL", "http://x").env("CHATD_LOG", "loud");
    let all = text(&run(all, ""));
    assert!(["DATABASE_URL", "REDIS_URL", "LOG"].iter().all(|key| all.contains(&format!("{key} (env"))), "{all}");
    let made = std::fs::read_dir(dir.path()).expect("it can be read").count();
    assert_eq!(made, 0, "nothing is made of what cannot be used");
    let away = with("CHATD_DATABASE_URL", "mysql://root@127.0.0.1:1/chat", &["user", "list"]);
    assert_eq!(code(&away), 69, "{}", text(&away));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let busy = run(plain(dir.path(), &["serve", "--port", &port]), "");
    assert_eq!(code(&busy), 1);
    assert!(text(&busy).contains(&format!("cannot listen on 127.0.0.1:{port}")), "{}", text(&busy));
    // Not 69: nobody who waits for a database would be helped.
    let directory = dir.path().join("directory");
    std::fs::create_dir(&directory).expect("a directory");
    let directory = format!("sqlite:{}", directory.display());
    for args in [&["serve"][..], &["migrate"], &["user", "list"], &["test-data"]] {
        let mut unwritable = plain(dir.path(), args);
        unwritable.args(["--data-dir", "/proc/nowhere"]);
        let unwritable = run(unwritable, "");
        assert_eq!(code(&unwritable), 1, "{args:?}: {}", text(&unwritable));
        assert!(text(&unwritable).contains("cannot make the directory /proc/nowhere"), "{}", text(&unwritable));
        let mut unwritable = plain(dir.path(), args);
        unwritable.args(["--database-url", &directory]);
        let unwritable = run(unwritable, "");
        assert_eq!(code(&unwritable), 1, "{args:?}: {}", text(&unwritable));
        assert!(text(&unwritable).contains("cannot write the database"), "{}", text(&unwritable));
    }
    std::fs::write(dir.path().join("local_settings.toml"), "MESAGES_TO_LOAD = 3\n").expect("a file");
    let unknown = run(plain(dir.path(), &["user", "list"]), "");
    assert_eq!(code(&unknown), 0);
    assert!(text(&unknown).contains("did you mean MESSAGES_TO_LOAD?"), "{}", text(&unknown));
}

/// The example names every key, and every line of it can be uncommented.
async fn example_settings_are_complete() {
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/local_settings.toml.example"));
    let example = example.expect("the example");
    let lines = example.lines().filter(|line| !line.starts_with("##"));
    let uncommented: String = lines.map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line))).collect();
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("all.toml");
    std::fs::write(&file, &uncommented).expect("a file");
    let loaded = chatd::config::Settings::load(Some(&file), figment::value::Dict::new(), |_| vec![]);
    let loaded = loaded.unwrap_or_else(|e| panic!("{e}\n{uncommented}"));
    assert_eq!(loaded.warnings, [] as [String; 0]);
    let keys = serde_json::to_value(chatd::config::Settings::default()).expect("settings");
    for key in keys.as_object().expect("an object").keys() {
        let line = format!("{} = ", key.to_uppercase());
        assert!(uncommented.lines().any(|l| l.starts_with(&line)), "{line}is not in the example");
    }
}

async fn a_second_server_on_the_file_is_refused() {
    let world = World::new(Backend::Sqlite).await;
    let mut second = command(&world.database, world.dir.path(), &[]);
    second.args(["serve", "--port", "0"]);
    let refused = run(second, "");
    assert_eq!(code(&refused), 1);
    assert!(text(&refused).contains("another chatd serves this database"), "{}", text(&refused));
    // Nor by another way to it; one beside it is another database.
    let file = world.database.url.strip_prefix("sqlite:").expect("a file");
    let link = world.dir.path().join("link.db");
    std::os::unix::fs::symlink(file, &link).expect("a link");
    let mut by_link = plain(world.dir.path(), &["serve", "--port", "0"]);
    by_link.args(["--database-url", &format!("sqlite:{}", link.display())]);
    let refused = run(by_link, "");
    assert_eq!(code(&refused), 1);
    assert!(text(&refused).contains("another chatd serves this database"), "{}", text(&refused));
    let mut beside = plain(world.dir.path(), &["serve", "--port", "0"]);
    beside.args(["--database-url", &format!("sqlite:{}", Path::new(file).with_extension("db").display())]);
    drop(Server::run(beside, world.dir.path()));
}

/// Messages are for nobody else on the machine, also in a directory that chatd did not make.
async fn the_embedded_database_is_for_its_owner_alone() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    std::fs::create_dir(&data).expect("a directory");
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o755)).expect("it can be set");
    // With the rights that most systems give a new file.
    let mut open_handed = Command::new("sh");
    open_handed
        .current_dir(dir.path())
        .env_clear()
        .args(["-c", r#"umask 022; exec "$0" serve --port 0"#])
        .arg(binary());
    let server = Server::run(open_handed, dir.path());
    let files: Vec<_> = std::fs::read_dir(&data).expect("it can be read").flatten().collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(file.metadata().expect("it is there").mode() & 0o077, 0, "{file:?}");
    }
    assert!(!server.log().contains("others on this machine"), "{}", server.log());
    drop(server);
    std::fs::set_permissions(data.join("chat.sqlite3"), PermissionsExt::from_mode(0o644)).expect("it can be set");
    let server = Server::run(plain(dir.path(), &["serve", "--port", "0"]), dir.path());
    assert!(server.log().contains("chmod 600 data/chat.sqlite3"), "{}", server.log());
}

async fn accounts(backend: Backend) {
    let database = Database::new(backend).await;
    let dir = tempfile::tempdir().expect("a directory");
    let user = |args: &[&str], input: &str| {
        let mut command = command(&database, dir.path(), &[]);
        command.arg("user").args(args);
        run(command, input)
    };
    let added = user(&["add", "Zoë", "--email", "z@example.org", "--password-stdin"], "a long password\n");
    assert_eq!(code(&added), 0, "{}", text(&added));
    for (args, input, error) in [
        (&["add", "zoë", "--password-stdin"][..], "a long password", "already exists"),
        (&["add", "ann", "--password-stdin"], "short", "too short"),
        (&["add", "a b", "--password-stdin"], "a long password", "valid username"),
        (&["set", "nobody", "--inactive"], "", "no user"),
        (&["add", "ann"], "", "no terminal"),
    ] {
        let refused = user(args, input);
        assert_eq!(code(&refused), 1, "{args:?}");
        assert!(text(&refused).contains(error), "{args:?}: {}", text(&refused));
    }
    assert_eq!(code(&user(&["add", "weak", "--password-stdin", "--allow-weak-password"], "x")), 0);
    assert_eq!(code(&user(&["set", "weak", "--inactive"], "")), 0);
    let listed: Value = serde_json::from_slice(&user(&["list", "--json"], "").stdout).expect("JSON");
    let rows: Vec<_> =
        listed.as_array().expect("rows").iter().map(|u| (u["username"].clone(), u["is_active"].clone())).collect();
    assert_eq!(rows, [("Zoë".into(), true.into()), ("weak".into(), false.into())]);

    let server = Server::start(&database, dir.path(), &[]);
    let client = Client::new(&server.url);
    let try_in = async |password: &str| {
        client.post("/api/v1/session/", &serde_json::json!({"username": "ZOË", "password": password})).await.status
    };
    assert_eq!(try_in("a long password").await, 200);
    assert_eq!(code(&user(&["set", "zoë", "--password-stdin"], "another password")), 0);
    assert_eq!(client.get("/api/v1/session/").await.status, 403, "a new password ends every session");
    assert_eq!(try_in("a long password").await, 400);
    assert_eq!(try_in("another password").await, 200);

    let mut super_user = command(&database, dir.path(), &[("SUPERUSER_PASSWORD", "a super password")]);
    super_user.args(["createsuperuser", "--no-input", "--username", "root", "--email", "r@example.org"]);
    let made = run(super_user, "");
    assert_eq!(code(&made), 0, "{}", text(&made));
}

async fn the_same_seed_gives_the_same_data(backend: Backend) {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let database = Database::new(backend).await;
        let dir = tempfile::tempdir().expect("a directory");
        let mut fill = command(&database, dir.path(), &[]);
        fill.args(["test-data", "--users", "40", "--messages", "3000", "--seed", "5"]);
        let filled = run(fill, "");
        assert_eq!(code(&filled), 0, "{}", text(&filled));
        let store = database.store().await;
        let users = chatd::store::Users::all_users(&*store).await.unwrap();
        let mut all = Vec::new();
        for user in &users {
            for m in chatd::store::Messages::messages_of(&*store, user.id, 0, 10_000).await.unwrap() {
                all.push((m.sender_name, m.recipient_name, m.timestamp, m.body, m.seq));
            }
        }
        assert_eq!(users.len(), 40);
        assert!(all.iter().any(|(_, _, _, body, _)| body.contains('🎉')), "emoji among them");
        assert!(all.iter().any(|(_, _, _, body, _)| body.chars().any(|c| ('\u{5d0}'..='\u{5ea}').contains(&c))));
        seen.push(all);
    }
    assert!(seen[0] == seen[1], "two runs with one seed differ");
}

async fn unapplied_migrations(backend: Backend) {
    let database = Database::unmigrated(backend).await;
    let dir = tempfile::tempdir().expect("a directory");
    let chatd = |args: &[&str]| {
        let mut command = command(&database, dir.path(), &[]);
        command.args(args);
        run(command, "")
    };
    let check = chatd(&["migrate", "--check"]);
    assert_eq!(code(&check), 1);
    assert!(text(&check).contains("missing: 0001_meta"), "{}", text(&check));
    if backend != Backend::Sqlite {
        let refused = chatd(&["serve", "--port", "0"]);
        assert_eq!(code(&refused), 1);
        assert!(text(&refused).contains("run: chatd migrate"), "{}", text(&refused));
    }
    assert_eq!(code(&chatd(&["migrate"])), 0);
    assert_eq!(code(&chatd(&["migrate", "--check"])), 0);
    let _ = add_user(&*database.store().await, "ann", false).await;
}
