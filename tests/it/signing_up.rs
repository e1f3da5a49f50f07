//! People make their accounts, with invites and without.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, on_each};
use crate::support::server::{Answer, Client, Settings, World, add_user};
use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("signing_up::bad_names_and_passwords_are_refused_all_at_once", bad_fields),
        trial("signing_up::closed_is_closed", closed_is_closed),
        trial("signing_up::an_invite_is_made_listed_and_revoked", an_invite_is_made_listed_and_revoked),
        trial("signing_up::so_many_accounts_an_hour_from_one_address", so_many_an_hour),
        trial("signing_up::the_page_does_the_same", the_page_does_the_same),
        trial("signing_up::links_are_secrets", links_are_secrets),
        trial("signing_up::the_command_line_invites", the_command_line_invites),
    ];
    trials.extend(on_each(&BOTH, "signing_up::everybody_may_where_it_is_open", everybody_may_where_it_is_open));
    trials.extend(on_each(&BOTH, "signing_up::an_invite_is_used_so_often", an_invite_is_used_so_often));
    trials.extend(on_each(&BOTH, "signing_up::names_that_look_alike_are_one", names_that_look_alike_are_one));
    trials
}

const OPEN: Settings<'_> = &[("SIGNUP", "open"), ("SIGNUPS_PER_HOUR", "10000")];
const INVITE: Settings<'_> = &[("SIGNUP", "invite"), ("SIGNUPS_PER_HOUR", "10000")];
const SIGN_UP: &str = "/api/v1/signup/";
const INVITES: &str = "/api/v1/invite/";
const GOOD: &str = "a quite good password";

async fn sign_up(client: &Client, name: &str, invite: Option<&str>) -> Answer {
    client.post(SIGN_UP, &json!({"username": name, "password": GOOD, "invite": invite})).await
}

async fn root(world: &World) -> Client {
    add_user(&*world.database.store().await, "root", true).await;
    Client::signed_in(&world.server.url, "root").await
}

async fn invite(client: &Client, wish: &Value) -> (String, i64) {
    let made = client.post(INVITES, wish).await.expect(201);
    let url = made["url"].as_str().expect("a link");
    let token = url.trim_end_matches('/').rsplit('/').next().expect("a token");
    (token.to_owned(), made["id"].as_i64().expect("a number"))
}

async fn everybody_may_where_it_is_open(backend: Backend) {
    let world = World::with(backend, OPEN).await;
    let ann = Client::new(&world.server.url);
    assert_eq!(ann.get(SIGN_UP).await.expect(200), json!({"signup": "open", "open": true, "email_required": false}));
    let made = sign_up(&ann, " Ann ", None).await;
    assert_eq!(made.expect(201)["user"], "Ann");
    assert_eq!(ann.get("/api/v1/session/").await.expect(200)["user"], "Ann", "and is signed in");
    let account = ann.get("/api/v1/account/").await.expect(200);
    assert_eq!((&account["username"], &account["email"]), (&json!("Ann"), &json!("")));
    let bob = Client::new(&world.server.url);
    let body = json!({"username": "bob", "password": GOOD, "email": "bob@example.org"});
    bob.post(SIGN_UP, &body).await.expect(201);
    assert_eq!(bob.get("/api/v1/account/").await.expect(200)["email"], "bob@example.org");
    bob.say("ann", "hello").await;
    for taken in ["ann", "ANN", "ａｎｎ"] {
        let refused = sign_up(&Client::new(&world.server.url), taken, None).await;
        assert_eq!(
            (refused.status, refused.json()),
            (400, json!({"username": ["A user with that username already exists."]}))
        );
    }
    let again = json!({"username": "ann", "password": GOOD});
    Client::new(&world.server.url).post("/api/v1/session/", &again).await.expect(200);
}

async fn bad_fields() {
    let world = World::with(Backend::Sqlite, OPEN).await;
    let client = Client::new(&world.server.url);
    let body = json!({"username": "a b", "password": "short", "email": "nobody"});
    let refused = client.post(SIGN_UP, &body).await.expect(400);
    let fields: Vec<_> = refused.as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["username", "password", "email"]);
    assert_eq!(client.post(SIGN_UP, &json!({})).await.expect(400).as_object().map(serde_json::Map::len), Some(2));
    for (name, why) in [
        ("аnn", "This name mixes letters of different scripts."),
        ("admin", "This name is reserved."),
        ("Supp0rt", "This name is reserved."),
        ("-.-", "A name needs a letter or a digit."),
    ] {
        assert_eq!(sign_up(&client, name, None).await.expect(400), json!({"username": [why]}), "{name}");
    }
    assert_eq!(client.get("/api/v1/session/").await.status, 403);
    // Another site may not make anybody an account either.
    let headers = [("Content-Type", "application/json"), ("Sec-Fetch-Site", "cross-site")];
    let body = json!({"username": "eve", "password": GOOD}).to_string();
    client.send("POST", SIGN_UP, &headers, Some(body.into_bytes())).await.expect(403);
}

async fn closed_is_closed() {
    let world = World::new(Backend::Sqlite).await;
    let root = root(&world).await;
    let nobody = Client::new(&world.server.url);
    assert_eq!(
        nobody.get(SIGN_UP).await.expect(200),
        json!({"signup": "closed", "open": false, "email_required": false})
    );
    let refused = sign_up(&nobody, "ann", None).await;
    assert_eq!(refused.expect(403), json!({"detail": "Accounts are made by those who run this server."}));
    root.post(INVITES, &json!({})).await.expect(403);
    let page = nobody.get("/signup/").await;
    assert!(page.status == 403 && page.body.contains("Ask them for one."), "{page:?}");
    assert!(!nobody.get("/login/").await.body.contains("signup"));
}

async fn an_invite_is_used_so_often(backend: Backend) {
    let world = World::with(backend, INVITE).await;
    let root = root(&world).await;
    let url = &world.server.url;
    let (token, id) = invite(&root, &json!({"uses": 3, "days": 2, "note": "for three"})).await;
    let asked = Client::new(url).get(&format!("{SIGN_UP}?invite={token}")).await.expect(200);
    assert_eq!(asked, json!({"signup": "invite", "open": true, "email_required": false}));
    let refused = sign_up(&Client::new(url), "eve", None).await.expect(400);
    assert_eq!(refused, json!({"invite": ["This invite cannot be used. Ask for a new one."]}));
    assert_eq!(sign_up(&Client::new(url), "eve", Some("wrong")).await.expect(400), refused);
    // A name that is refused uses nothing up.
    sign_up(&Client::new(url), "admin", Some(&token)).await.expect(400);
    sign_up(&Client::new(url), "root", Some(&token)).await.expect(400);
    // Many at once: as many as it is for.
    // Passwords of a crowd are hashed when nothing else wants the processor: on a machine that is full that takes long.
    let tries = (0..8).map(|i| {
        let (client, token) = (Client::patient(url, Duration::from_mins(5)), token.clone());
        async move { sign_up(&client, &format!("guest{i}x"), Some(&token)).await.status }
    });
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 3, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 400).count(), 5, "{answers:?}");
    let people = root.get("/api/v1/user/").await.expect(200);
    assert_eq!(people.as_array().map(Vec::len), Some(3), "no account without a use");
    let listed = root.get(INVITES).await.expect(200);
    let invite = &listed["results"][0];
    assert_eq!((&invite["id"], &invite["uses"], &invite["open"]), (&json!(id), &json!(3), &json!(false)));
}

async fn an_invite_is_made_listed_and_revoked() {
    let world = World::with(Backend::Sqlite, INVITE).await;
    let (root, ann) = (root(&world).await, world.person("ann").await);
    for (method, path) in [("GET", INVITES), ("POST", INVITES), ("DELETE", "/api/v1/invite/1/")] {
        ann.send(method, path, &[], None).await.expect(403);
    }
    for (wish, field) in [
        (json!({"uses": 0}), "uses"),
        (json!({"uses": 1001}), "uses"),
        (json!({"days": 366}), "days"),
        (json!({"days": "x"}), "days"),
        (json!({"note": "x".repeat(201)}), "note"),
    ] {
        assert!(root.post(INVITES, &wish).await.expect(400)[field].is_array(), "{wish}");
    }
    let (token, id) = invite(&root, &json!({})).await;
    assert!(token.len() >= 22, "128 bits: {token}");
    let listed = root.get(INVITES).await;
    assert!(!listed.body.contains(&token), "the link is told once");
    let invite = &listed.json()["results"][0];
    assert_eq!((&invite["made_by"], &invite["most_uses"], &invite["note"]), (&json!("root"), &json!(1), &json!("")));
    let path = format!("{INVITES}{id}/");
    for _ in 0..2 {
        root.send("DELETE", &path, &[], None).await.expect(204);
    }
    root.send("DELETE", "/api/v1/invite/999/", &[], None).await.expect(404);
    sign_up(&Client::new(&world.server.url), "eve", Some(&token)).await.expect(400);
    // Where everybody may, everybody sees the own ones alone.
    let world = World::with(Backend::Sqlite, &[INVITE, &[("INVITES_BY", "everybody")]].concat()).await;
    let (ann, bob) = world.two().await;
    let made = ann.post(INVITES, &json!({})).await.expect(201)["id"].as_i64().expect("a number");
    assert_eq!(bob.get(INVITES).await.expect(200), json!({"results": []}));
    bob.send("DELETE", &format!("{INVITES}{made}/"), &[], None).await.expect(404);
    ann.send("DELETE", &format!("{INVITES}{made}/"), &[], None).await.expect(204);
}

async fn names_that_look_alike_are_one(backend: Backend) {
    let world = World::with(backend, OPEN).await;
    // From before looks were noted: as after an upgrade.
    world.add("paypal").await;
    crate::support::backend::run(&world.database.url, "DELETE FROM name_looks").await;
    let world = world.restarted(OPEN).await;
    let url = &world.server.url;
    let similar = json!({"username": ["This name looks too much like somebody else's."]});
    crate::support::until("older names to be looked at", Duration::from_secs(10), || async {
        let refused = sign_up(&Client::new(url), "paypa1", None).await;
        (refused.status == 400 && refused.json() == similar).then_some(())
    })
    .await;
    let tries = ["mary", "rnary"].map(|name| {
        let client = Client::new(url);
        async move { sign_up(&client, name, None).await.status }
    });
    let mut answers = futures_util::future::join_all(tries).await;
    answers.sort_unstable();
    assert_eq!(answers, [201, 400], "one of two at once");
    // An operator may.
    world.add("paypa1").await;
}

async fn so_many_an_hour() {
    let world = World::with(Backend::Sqlite, &[("SIGNUP", "open"), ("SIGNUPS_PER_HOUR", "3")]).await;
    let mut answers = Vec::new();
    for name in ["ann", "bob", "carla", "dora"] {
        answers.push(sign_up(&Client::new(&world.server.url), name, None).await);
    }
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [201, 201, 201, 429]);
    let wait: u64 = answers[3].header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=1200).contains(&wait), "{wait}");
}

async fn the_page_does_the_same() {
    let world = World::with(Backend::Sqlite, INVITE).await;
    let (token, _) = invite(&root(&world).await, &json!({})).await;
    let path = format!("/signup/{token}/");
    let eve = Client::new(&world.server.url);
    for wrong in ["/signup/", "/signup/wrong/"] {
        let page = eve.get(wrong).await;
        assert!(page.status == 403 && page.body.contains("Ask for a new one."), "{page:?}");
    }
    let page = eve.get(&path).await;
    assert_eq!((page.status, page.header("referrer-policy")), (200, Some("no-referrer")));
    assert!(page.body.contains("autocomplete=\"new-password\""));
    let form = async |fields: &str| {
        let token = eve.cookie("csrftoken").expect("a token");
        eve.form(&path, &format!("csrfmiddlewaretoken={token}&{fields}")).await
    };
    let refused = form("username=%3Cb%3Eeve&email=eve%40example.org&password=sesame").await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.body.contains("value=\"&lt;b&gt;eve\"") && refused.body.contains("value=\"eve@example.org\""),
        "{}",
        refused.body
    );
    assert!(!refused.body.contains("sesame"));
    // Why, in the language of the page.
    let csrf = eve.cookie("csrftoken").expect("a token");
    let body = format!("csrfmiddlewaretoken={csrf}&username=admin&email=&password=sesame");
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept-Language", "de")];
    let german = eve.send("POST", &path, &headers, Some(body.into_bytes())).await;
    for why in ["Dieser Name ist vergeben.", "Dieses Passwort ist zu kurz. Es braucht mindestens 8 Zeichen."] {
        assert!(german.body.contains(why), "{why}: {}", german.body);
    }
    let forged = eve.form(&path, "username=eve&password=a+quite+good+password").await;
    assert_eq!(forged.status, 403);
    let made = form("username=eve&email=&password=a+quite+good+password").await;
    assert_eq!((made.status, made.header("location")), (303, Some("/")));
    assert_eq!(eve.get("/api/v1/session/").await.expect(200)["user"], "eve");
    assert_eq!(Client::new(&world.server.url).get(&path).await.status, 403, "it is used up");
    let german = eve.send("GET", "/signup/", &[("Accept-Language", "de")], None).await;
    assert!(german.body.contains("Konto anlegen"), "{}", german.body);
    let open = World::with(Backend::Sqlite, OPEN).await;
    assert!(Client::new(&open.server.url).get("/login/").await.body.contains("href=\"/signup/\""));
    assert_eq!(Client::new(&open.server.url).get("/signup/").await.status, 200);
}

/// Not in the log, and in the database as a hash.
async fn links_are_secrets() {
    let world = World::with(Backend::Sqlite, INVITE).await;
    let (token, _) = invite(&root(&world).await, &json!({})).await;
    let eve = Client::new(&world.server.url);
    eve.get(&format!("/signup/{token}/")).await;
    eve.get(&format!("{SIGN_UP}?invite={token}")).await;
    sign_up(&eve, "eve", Some(&token)).await.expect(201);
    let log = world.server.log();
    assert!(log.contains("/signup/***/") && !log.contains(&token), "{log}");
    let path = world.database.url.strip_prefix("sqlite:").expect("a file").to_owned();
    let bytes: Vec<u8> =
        [path.clone(), format!("{path}-wal")].iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds(&chatd::auth::hash_token(&token)) && !holds(&token));
}

async fn the_command_line_invites() {
    let world = World::with(Backend::Sqlite, INVITE).await;
    let settings = [INVITE, &[("PUBLIC_URL", "http://chat.example/talk/")]].concat();
    let chatd = |args: &[&str]| crate::support::server::chatd(&world, &settings, args);
    let made = chatd(&["invite", "add", "--uses", "2", "--note", "a note", "--json"]);
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let url = made["url"].as_str().expect("a link");
    assert!(url.starts_with("http://chat.example/talk/signup/"), "{url}");
    assert_eq!((&made["most_uses"], &made["made_by"], &made["open"]), (&json!(2), &json!(null), &json!(true)));
    let listed = String::from_utf8(chatd(&["invite", "list"]).stdout).expect("text");
    assert!(listed.contains("0 of 2 used") && listed.contains("a note"), "{listed}");
    let id = made["id"].to_string();
    assert!(chatd(&["invite", "revoke", &id]).status.success());
    assert_eq!(chatd(&["invite", "revoke", "77"]).status.code(), Some(1));
    assert_eq!(chatd(&["invite", "add", "--days", "0"]).status.code(), Some(1));
    let listed: Value = serde_json::from_slice(&chatd(&["invite", "list", "--json"]).stdout).expect("JSON");
    assert_eq!(listed[0]["open"], false);
}
