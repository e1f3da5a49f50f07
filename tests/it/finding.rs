//! Finding people over HTTP, and the recorded list of everybody: whole, in parts, and up to a limit.

use std::time::Duration;

use chatd::domain::{DisplayName, ProfileChange, Timestamp, UserId};
use chatd::store::{Profiles as _, SqlStore};
use libtest_mimic::Trial;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::backend::{BOTH, Backend, Database, on_each, run, service};
use crate::support::proxy::Proxy;
use crate::support::server::{Client, Server, World};
use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    let mut trials = on_each(&BOTH, "finding::a_long_list_is_sent_in_parts", a_long_list_is_sent_in_parts);
    trials.extend(on_each(&BOTH, "finding::pages_by_any_name", pages_by_any_name));
    let here = Backend::MariaDb.is_here();
    trials.push(
        trial("finding::a_list_that_breaks_off_is_no_list", a_list_that_breaks_off_is_no_list).with_ignored_flag(!here),
    );
    trials
}

/// People whose rows are made by themselves: by what they are found is noted at the next start.
async fn crowd(world: &World, names: impl IntoIterator<Item = String>) {
    let rows: Vec<_> = names.into_iter().map(|name| format!("('{name}', '{name}', '!', '', 1, 0, 0, 1)")).collect();
    run(
        &world.database.url,
        &format!(
            "INSERT INTO users (username, username_key, password_hash, email, is_active, is_staff, is_superuser, \
             date_joined) VALUES {}",
            rows.join(", ")
        ),
    )
    .await;
}

fn numbered(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|i| format!("u{i:05}"))
}

async fn a_long_list_is_sent_in_parts(backend: Backend) {
    let world = World::new(backend).await;
    let ann = world.person("ann").await;
    // A part is a thousand people: one part, one and a bit, and parts that end with the list.
    for (from, to) in [(0, 998), (998, 1000), (1000, 2500), (2500, 2999)] {
        crowd(&world, numbered(to).skip(from)).await;
        let objects: Vec<_> = numbered(to).map(|name| format!("{{\"username\":\"{name}\"}}")).collect();
        let list = ann.get("/api/v1/user/").await;
        assert_eq!((list.status, list.header("content-type")), (200, Some("application/json")));
        assert_eq!(list.body, format!("[{}]", objects.join(",")), "{to} people, as one part would be");
        assert_eq!(list.header("content-length").is_some(), to == 998, "more than a part is sent while it is read");
    }
    let indented = [("Accept", "application/json; indent=2")];
    let pretty = ann.send("GET", "/api/v1/user/", &indented, None).await;
    let value: Value = serde_json::from_str(&pretty.body).expect("whole");
    assert_eq!(pretty.body, serde_json::to_string_pretty(&value).unwrap());
    let page = ann.send("GET", "/api/v1/user/", &[("Accept", "text/html")], None).await;
    assert!(page.body.contains("u00000") && page.body.contains("u02998"), "{}", page.status);
    let head = ann.send("HEAD", "/api/v1/user/", &[], None).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

async fn pages_by_any_name(backend: Backend) {
    let world = World::new(backend).await;
    let ann = world.person("ann").await;
    let store = world.database.store().await;
    for (username, display_name) in [("u1", "Bo Carlsen"), ("bo", ""), ("u2", "Ann Bo"), ("u3", "山田 太郎")] {
        let user = world.add(username).await;
        if !display_name.is_empty() {
            display(&store, user.id, display_name).await;
        }
    }
    let names = |page: &Value| {
        page["results"].as_array().expect("results").iter().map(|u| u["username"].clone()).collect::<Vec<_>>()
    };
    let first = ann.get("/api/v1/user/?search=bo&limit=2").await.expect(200);
    assert_eq!(names(&first), ["bo", "u2"]);
    let next = first["next"].as_str().expect("more").trim_start_matches(&world.server.url).to_owned();
    let rest = ann.get(&next).await.expect(200);
    assert_eq!((names(&rest), &rest["next"]), (vec!["u1".into()], &Value::Null));
    assert_eq!(names(&ann.get("/api/v1/user/?search=%E5%A4%AA").await.expect(200)), ["u3"]);
    for malformed in ["%21", "a", &"QUFB".repeat(400)] {
        let refused = ann.get(&format!("/api/v1/user/?cursor={malformed}")).await.expect(400);
        assert!(refused["cursor"].is_array(), "{malformed}: {refused}");
    }
}

/// The database goes while the list is sent.
async fn a_list_that_breaks_off_is_no_list() {
    let database = Database::new(Backend::MariaDb).await;
    let target = service("mariadb").expect("MariaDB is here").split_once('@').expect("an address").1.to_owned();
    let proxy = Proxy::to(target.clone()).await;
    let dir = tempfile::tempdir().expect("a directory");
    let url = database.url.replace(&target, &format!("127.0.0.1:{}", proxy.port));
    let server = Server::start(&database, dir.path(), &[("DATABASE_URL", &url)]);
    let world = World { server, database, dir };
    let ann = world.person("ann").await;
    crowd(&world, numbered(9000)).await;
    assert_eq!(ann.get("/api/v1/user/").await.expect(200).as_array().map(Vec::len), Some(9000), "whole");
    proxy.slow_down(Duration::from_millis(300));
    let text = begin_list(&ann, || proxy.close()).await;
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("u00000"), "it had begun: {text}");
    assert!(!text.contains("u08999") && !text.contains(']'), "and it has no end: {text}");
    proxy.slow_down(Duration::ZERO);
    proxy.open();
    assert_eq!(ann.get("/api/v1/user/").await.expect(200).as_array().map(Vec::len), Some(9000), "whole again");
}

/// What is answered, to its end; `meanwhile` is done when it has begun.
async fn begin_list(client: &Client, meanwhile: impl FnOnce()) -> String {
    let at = client.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(at).await.expect("connects");
    let request = format!(
        "GET /api/v1/user/ HTTP/1.1\r\nHost: {at}\r\nCookie: {}\r\nConnection: close\r\n\r\n",
        client.cookies()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains("u00000") {
        assert!(stream.read_buf(&mut answer).await.expect("it goes on") > 0, "it has begun");
    }
    meanwhile();
    // However it ends.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Gives somebody a display name.
async fn display(store: &SqlStore, user: UserId, name: &str) {
    let display_name = Some(DisplayName::new(name).expect("a name"));
    let change = ProfileChange { display_name, ..ProfileChange::default() };
    store.set_profile(user, &change, Timestamp(1_700_000_000_000_000)).await.expect("it is stored");
}
