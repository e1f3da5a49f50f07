//! The second factor: codes of an app, recovery codes, and what they keep out.

use std::time::{Duration, Instant};

use base64::Engine as _;
use libtest_mimic::Trial;
use serde_json::{Map, Value, json};

use super::{chatd, chatd_ok, column, once};
use crate::support::backend::{BOTH, Backend, on_each, run};
use crate::support::factors::{FACTOR, SESSION, begin, first_step, forget_steps, pending, second_step, turn_on};
use crate::support::server::{Client, LOOSE, Server, World, password};
use crate::support::socket::Socket;

pub fn trials() -> Vec<Trial> {
    let mut trials = once![
        s31_changes_need_the_password_and_a_code,
        s31_an_app_is_on_when_its_code_has_shown_it,
        s31_the_secret_is_sealed_for_its_owner,
        s31_guesses_are_throttled,
        s31_basic_knows_no_second_step,
        s31_the_first_step_is_worth_nothing_later,
        s31_the_page_asks_for_the_second_step,
        s31_the_operator_can_take_it_away,
    ];
    let name = "security::s31_a_password_alone_is_not_enough";
    trials.extend(on_each(&BOTH, name, s31_a_password_alone_is_not_enough));
    trials.extend(on_each(&BOTH, "security::s31_a_code_is_good_once", s31_a_code_is_good_once));
    trials.extend(on_each(&BOTH, "security::s31_a_recovery_code_is_good_once", s31_a_recovery_code_is_good_once));
    let name = "security::s31_processes_know_of_one_another";
    trials.extend(on_each(&[Backend::MariaDb], name, s31_processes_know_of_one_another));
    trials
}

async fn is_signed_in(client: &Client) -> bool {
    client.get(SESSION).await.status == 200
}

async fn s31_a_password_alone_is_not_enough(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let url = &world.server.url;
    let phone = Client::signed_in(url, "ann").await;
    let (before, mut socket) = (ann.cookie("sessionid"), Socket::events(&phone, None).await);
    let since = Instant::now();
    let (app, codes) = turn_on(&ann, "ann").await;
    assert_eq!(codes.len(), 10);
    assert_ne!(ann.cookie("sessionid"), before, "a new session id (S6)");
    assert_eq!(socket.close_code().await, Some(1008));
    assert!(since.elapsed() <= Duration::from_secs(5), "{:?}", since.elapsed());
    assert_eq!((is_signed_in(&ann).await, is_signed_in(&phone).await), (true, false), "every other session has ended");
    let state = ann.get(FACTOR).await.expect(200);
    assert_eq!((&state["on"], &state["recovery_codes"], &state["passkeys"]), (&json!(true), &json!(10), &json!([])));
    assert!(state["totp_since"].is_string(), "{state}");

    let desk = Client::new(url);
    let step = first_step(&desk, "ann").await;
    assert_eq!(
        (&step["detail"], &step["second_factor"]),
        (&json!("A second step is needed."), &json!(["totp", "recovery"]))
    );
    assert!(!is_signed_in(&desk).await && desk.cookie("sessionid").is_none());
    let token = step["token"].as_str().expect("a token");
    for wrong in [app.wrong(), app.code(-2), app.code(3), String::new(), "x".to_owned(), codes[0].replace('-', "x")] {
        let refused = second_step(&desk, token, &wrong).await.expect(400);
        assert!(refused["code"].is_array(), "{wrong}: {refused}");
    }
    assert!(!is_signed_in(&desk).await);
    let code = app.code(1);
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    assert_eq!(second_step(&desk, token, &spaced).await.expect(200)["user"], "ann");
    assert!(is_signed_in(&desk).await);
    // Others sign in as before.
    world.person("bob").await;
}

async fn s31_a_code_is_good_once(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let (app, _) = turn_on(&ann, "ann").await;
    let url = &world.server.url;
    let token = pending(&Client::new(url), "ann").await;
    let set_up_with = app.code(0);
    let refused = second_step(&Client::new(url), &token, &set_up_with).await;
    assert_eq!(refused.status, 400, "the code that turned it on is used: {refused:?}");
    forget_steps(&world).await;
    for code in [app.code(-1), app.code(0), app.code(1)] {
        second_step(&Client::new(url), &token, &code).await.expect(200);
        let again = second_step(&Client::new(url), &token, &code).await;
        assert_eq!(again.expect(400), json!({"code": ["This code is not right, or it has been used."]}));
    }
    // An earlier one than the last that was used is too old, though it was never used.
    forget_steps(&world).await;
    second_step(&Client::new(url), &token, &app.code(1)).await.expect(200);
    second_step(&Client::new(url), &token, &app.code(0)).await.expect(400);
    // One that is wrong uses nothing up, and of many with the right one at once one wins.
    for _ in 0..3 {
        forget_steps(&world).await;
        let code = app.code(0);
        let tries = (0..20).map(|_| async { second_step(&Client::new(url), &token, &code).await.status });
        let answers = futures_util::future::join_all(tries).await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|status| **status == 400).count(), 19, "{answers:?}");
    }
}

async fn s31_a_recovery_code_is_good_once(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let (app, codes) = turn_on(&ann, "ann").await;
    let url = &world.server.url;
    let stored = column(&world.database, "SELECT code_hash FROM recovery_codes").await;
    assert_eq!(stored.len(), 10);
    assert!(stored.iter().all(|hash| hash.len() == 64 && !codes.contains(hash)), "{stored:?}");
    let token = pending(&Client::new(url), "ann").await;
    second_step(&Client::new(url), &token, &codes[0].to_uppercase()).await.expect(200);
    second_step(&Client::new(url), &token, &codes[0]).await.expect(400);
    let code = &codes[1];
    let tries = (0..20).map(|_| async { second_step(&Client::new(url), &token, code).await.status });
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    let left = async || ann.get(FACTOR).await.expect(200)["recovery_codes"].clone();
    assert_eq!(left().await, 8);
    // Another person's are worth nothing.
    let bob = world.person("bob").await;
    let (_, of_bob) = turn_on(&bob, "bob").await;
    second_step(&Client::new(url), &token, &of_bob[0]).await.expect(400);
    // New ones, with an old one: then all of those are gone.
    let body = json!({"current_password": password("ann"), "code": codes[2]});
    let new = ann.post(&format!("{FACTOR}recovery-codes/"), &body).await.expect(200);
    let new: Vec<_> =
        new["recovery_codes"].as_array().expect("codes").iter().filter_map(|code| code.as_str()).collect();
    assert_eq!((new.len(), left().await), (10, json!(10)));
    second_step(&Client::new(url), &token, &codes[3]).await.expect(400);
    second_step(&Client::new(url), &token, new[0]).await.expect(200);
    // With the app the codes go too.
    forget_steps(&world).await;
    let body = json!({"current_password": password("ann"), "code": app.code(0)});
    ann.post(&format!("{FACTOR}off/"), &body).await.expect(200);
    let state = ann.get(FACTOR).await.expect(200);
    assert_eq!((&state["on"], &state["recovery_codes"]), (&json!(false), &json!(0)));
    Client::signed_in(url, "ann").await;
}

async fn s31_changes_need_the_password_and_a_code() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let wrong = json!({"current_password": ["This is not your password."]});
    assert_eq!(ann.post(FACTOR, &json!({"current_password": "wrong"})).await.expect(400), wrong);
    assert_eq!(
        ann.post(FACTOR, &json!({})).await.expect(400),
        json!({"current_password": ["This field is required."]})
    );
    let off = format!("{FACTOR}off/");
    let not_on = json!({"non_field_errors": ["This is not on."]});
    for path in [&off, &format!("{FACTOR}recovery-codes/")] {
        assert_eq!(ann.post(path, &json!({"current_password": password("ann")})).await.expect(400), not_on);
    }
    // Parts of a passkey are never overlooked, not even where none is asked for.
    let parts = ["credential_id", "client_data", "authenticator_data", "signature"];
    for part in parts {
        let shown = json!({"current_password": password("ann"), part: "AAAA"});
        let others = parts.iter().filter(|other| **other != part);
        let missing: Map<_, _> = others.map(|part| ((*part).to_owned(), json!(["This field is required."]))).collect();
        assert_eq!(ann.post(FACTOR, &shown).await.expect(400), Value::Object(missing));
    }
    let mut shown = json!({"current_password": password("ann"), "signature": "!"});
    parts[..3].iter().for_each(|part| shown[part] = "AAAA".into());
    assert_eq!(ann.post(FACTOR, &shown).await.expect(400), json!({"signature": ["Enter base64url."]}));
    let (app, codes) = turn_on(&ann, "ann").await;
    forget_steps(&world).await;
    let on = json!({"non_field_errors": ["This is on already."]});
    assert_eq!(ann.post(FACTOR, &json!({"current_password": password("ann")})).await.expect(400), on);
    for path in [&off, &format!("{FACTOR}recovery-codes/")] {
        let with = async |password: &str, code: Option<&str>| {
            let answer = ann.post(path, &json!({"current_password": password, "code": code})).await;
            answer.expect(400)
        };
        assert_eq!(with("wrong", Some(&app.code(0))).await, wrong);
        assert_eq!(with(&password("ann"), None).await, json!({"code": ["This field is required."]}));
        let bad = json!({"code": ["This code is not right, or it has been used."]});
        assert_eq!(with(&password("ann"), Some(&app.wrong())).await, bad);
    }
    let other = Client::new(&world.server.url);
    let token = pending(&other, "ann").await;
    second_step(&other, &token, &codes[0]).await.expect(200);
    let before = ann.cookie("sessionid");
    ann.post(&off, &json!({"current_password": password("ann"), "code": app.code(0)})).await.expect(200);
    assert_ne!(ann.cookie("sessionid"), before, "a new session id (S6)");
    assert_eq!((is_signed_in(&ann).await, is_signed_in(&other).await), (true, false));
    // Another site does none of it.
    let headers = [("Content-Type", "application/json"), ("Sec-Fetch-Site", "cross-site")];
    let body = json!({"current_password": password("ann")}).to_string();
    ann.send("POST", FACTOR, &headers, Some(body.into_bytes())).await.expect(403);
}

async fn s31_an_app_is_on_when_its_code_has_shown_it() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    let (app, token) = begin(&ann, "ann").await;
    assert_eq!(ann.get(FACTOR).await.expect(200)["on"], false);
    Client::signed_in(&world.server.url, "ann").await;
    let confirm = async |client: &Client, token: &str, code: &str| {
        client.post(&format!("{FACTOR}confirm/"), &json!({"token": token, "code": code})).await
    };
    confirm(&ann, &token, &app.wrong()).await.expect(400);
    let late = json!({"token": ["This took too long. Start again."]});
    assert_eq!(confirm(&bob, &token, &app.code(0)).await.expect(400), late, "it is Ann's");
    assert_eq!(confirm(&ann, &format!("{token}A"), &app.code(0)).await.expect(400), late);
    assert_eq!(column(&world.database, "SELECT CAST(user_id AS TEXT) FROM totp").await, [] as [String; 0]);
    // Of two that are begun and finished at once one is on.
    let (other, second) = begin(&ann, "ann").await;
    let (code, other_code) = (app.code(0), other.code(0));
    let (one, two) = tokio::join!(confirm(&ann, &token, &code), confirm(&ann, &second, &other_code));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    // The other one comes too late: for a session that has ended, or for an account that has an app.
    assert!(statuses[0] == 200 && statuses[1] >= 400, "{statuses:?}");
    assert_eq!(column(&world.database, "SELECT CAST(user_id AS TEXT) FROM totp").await.len(), 1);
    let (_, token) = begin(&bob, "bob").await;
    chatd_ok(&world, &[], &["user", "set", "bob", "--password-stdin"], "another good password");
    let bob = Client::new(&world.server.url);
    let body = json!({"username": "bob", "password": "another good password"});
    bob.post(SESSION, &body).await.expect(200);
    assert_eq!(confirm(&bob, &token, "000000").await.expect(400), late, "begun with another password");
}

async fn s31_the_secret_is_sealed_for_its_owner() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    let begun = ann.post(FACTOR, &json!({"current_password": password("ann")})).await.expect(200);
    let secret = begun["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(secret.len(), 32, "160 bits");
    let (app, _) = turn_on(&ann, "ann").await;
    let (of_bob, _) = turn_on(&bob, "bob").await;
    let stored = column(&world.database, "SELECT hex(secret) FROM totp ORDER BY user_id").await;
    let raw = app.hex();
    assert!(stored.iter().all(|sealed| sealed.len() == 2 * (20 + 45) && !sealed.contains(&raw)), "{stored:?}");
    assert_ne!(stored[0], stored[1]);
    // Somebody who writes to the database gives Ann the app of Bob: it opens nothing.
    run(
        &world.database.url,
        "UPDATE totp SET secret = (SELECT secret FROM totp t WHERE t.user_id = 2) WHERE user_id = 1",
    )
    .await;
    forget_steps(&world).await;
    let nobody = Client::new(&world.server.url);
    let token = pending(&nobody, "ann").await;
    for code in [app.code(0), of_bob.code(0)] {
        second_step(&nobody, &token, &code).await.expect(400);
    }
    let token = pending(&nobody, "bob").await;
    second_step(&nobody, &token, &of_bob.code(0)).await.expect(200);
    let log = world.server.log();
    assert!(!log.contains(&secret) && !log.contains(&token), "{log}");
}

/// Codes are guessed no quicker than passwords are, and a right password gives no more of them.
async fn s31_guesses_are_throttled() {
    let world = World::new(Backend::Sqlite).await;
    let ann = world.person("ann").await;
    let (app, codes) = turn_on(&ann, "ann").await;
    let url = &world.server.url;
    let nobody = Client::new(url);
    let token = pending(&nobody, "ann").await;
    let (mut looked_at, started) = (0, Instant::now());
    let refused = loop {
        let answer = second_step(&nobody, &token, &app.wrong()).await;
        if answer.status != 400 {
            break answer;
        }
        looked_at += 1;
        assert!(looked_at < 100, "nothing stops guesses");
    };
    let come_back = usize::try_from(started.elapsed().as_secs() / 6).expect("a few");
    assert!((10..=10 + come_back).contains(&looked_at), "{looked_at} were looked at");
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait > 0)));
    for code in [&app.code(1), &codes[0]] {
        second_step(&nobody, &token, code).await.expect(429);
    }
    let body = json!({"username": "ann", "password": password("ann")});
    nobody.post(SESSION, &body).await.expect(429);
    let said = nobody.post(STEP_FORM, &json!({})).await;
    assert_eq!(said.status, 403, "the page is guarded by its token: {said:?}");
}

const STEP_FORM: &str = "/login/";

async fn s31_basic_knows_no_second_step() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("ann:{}", password("ann")));
    let authorization = format!("Basic {encoded}");
    let ask = async |path: &str| {
        Client::new(&world.server.url).send("GET", path, &[("Authorization", &authorization)], None).await
    };
    let paths = ["/api/v1/", "/api/v1/user/", "/api/v1/user/1/"];
    for path in paths {
        ask(path).await.expect(200);
    }
    turn_on(&ann, "ann").await;
    for path in paths {
        assert_eq!(ask(path).await.expect(403), json!({"detail": "Invalid username/password."}), "as for a wrong one");
    }
    chatd_ok(&world, &[], &["user", "set", "ann", "--no-second-factor"], "");
    ask(paths[0]).await.expect(200);
}

async fn s31_the_first_step_is_worth_nothing_later() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    let (app, codes) = turn_on(&ann, "ann").await;
    let (of_bob, _) = turn_on(&bob, "bob").await;
    forget_steps(&world).await;
    let nobody = Client::new(&world.server.url);
    let late = json!({"token": ["This took too long. Start again."]});
    let token = pending(&nobody, "ann").await;
    second_step(&nobody, &token, &of_bob.code(0)).await.expect(400);
    for bad in ["", "x", &token[..token.len() - 1], &format!("{token}="), &"A".repeat(5000)] {
        assert_eq!(second_step(&nobody, bad, &codes[0]).await.expect(400), late, "{bad}");
    }
    chatd_ok(&world, &[], &["user", "set", "ann", "--inactive"], "");
    assert_eq!(second_step(&nobody, &token, &app.code(0)).await.expect(400), late, "deactivated");
    chatd_ok(&world, &[], &["user", "set", "ann", "--active", "--password-stdin"], "a quite new password");
    assert_eq!(second_step(&nobody, &token, &app.code(0)).await.expect(400), late, "begun with another password");
    let body = json!({"username": "ann", "password": "a quite new password"});
    let token = nobody.post(SESSION, &body).await.expect(403)["token"].as_str().expect("a token").to_owned();
    second_step(&nobody, &token, &app.code(0)).await.expect(200);
}

async fn s31_the_page_asks_for_the_second_step() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let (app, codes) = turn_on(&ann, "ann").await;
    let desk = Client::new(&world.server.url);
    let login = "/login/?next=/c/bob/";
    desk.get(login).await;
    let csrf = desk.cookie("csrftoken").expect("a token");
    let form = async |fields: &str| desk.form(login, &format!("csrfmiddlewaretoken={csrf}&{fields}")).await;
    let page = form(&format!("username=ann&password={}", password("ann"))).await;
    assert_eq!((page.status, desk.cookie("sessionid")), (200, None));
    let (_, rest) = page.body.split_once("name=\"token\" value=\"").expect("a token");
    let token = rest.split('"').next().expect("a token").to_owned();
    assert!(
        page.body.contains("autocomplete=\"one-time-code\"") && page.body.contains("name=\"recovery\""),
        "{page:?}"
    );
    let wrong = form(&format!("token={token}&code={}", app.wrong())).await;
    assert_eq!(wrong.status, 200);
    assert!(wrong.body.contains("This code is not right, or it has been used.") && wrong.body.contains(&token));
    let forged = desk.form(login, &format!("token={token}&code={}", app.code(1))).await;
    assert_eq!((forged.status, desk.cookie("sessionid")), (403, None), "the token against forged forms is wanted");
    let late = form("token=nonsense&code=123456").await;
    assert!(late.status == 200 && late.body.contains("This took too long.") && late.body.contains("name=\"password\""));
    let german = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept-Language", "de")];
    let body = format!("csrfmiddlewaretoken={csrf}&token={token}&code=0").into_bytes();
    let page = desk.send("POST", login, &german, Some(body)).await;
    assert!(page.body.contains("Dieser Code stimmt nicht"), "{page:?}");
    let done = form(&format!("token={token}&code={}", app.code(1))).await;
    assert_eq!((done.status, done.header("location")), (302, Some("/c/bob/")));
    assert!(is_signed_in(&desk).await);
    // With a recovery code, in its own field. The session from before ends.
    let before = desk.cookie("sessionid");
    let csrf = desk.cookie("csrftoken").expect("a token");
    let done = desk.form(login, &format!("csrfmiddlewaretoken={csrf}&token={token}&code=&recovery={}", codes[0])).await;
    assert_eq!(done.status, 302);
    desk.set_cookie("sessionid", before.as_deref());
    assert!(!is_signed_in(&desk).await);
}

async fn s31_the_operator_can_take_it_away() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    world.add("bob").await;
    turn_on(&ann, "ann").await;
    let list = async |json: bool| {
        let args: &[&str] = if json { &["user", "list", "--json"] } else { &["user", "list"] };
        String::from_utf8_lossy(&chatd(&world, &[], args, "").stdout).into_owned()
    };
    assert!(list(false).await.contains("ann (second factor)\n"), "{}", list(false).await);
    let rows: Value = serde_json::from_str(&list(true).await).expect("JSON");
    assert_eq!((&rows[0]["second_factor"], &rows[1]["second_factor"]), (&json!(true), &json!(false)));
    chatd_ok(&world, &[], &["user", "set", "ann", "--no-second-factor"], "");
    assert!(!is_signed_in(&ann).await, "every session has ended");
    let ann = Client::signed_in(&world.server.url, "ann").await;
    let state = ann.get(FACTOR).await.expect(200);
    assert_eq!((&state["on"], &state["recovery_codes"]), (&json!(false), &json!(0)));
    assert!(!list(false).await.contains("second factor"));
}

/// Two processes on one database: what was begun at one is finished at the other, a code is used in both, and guesses
/// are counted together.
async fn s31_processes_know_of_one_another(backend: Backend) {
    let secret = ("SECRET_KEY", "one secret for both of these processes");
    let world = World::with(backend, &[secret]).await;
    let ann = world.person("ann").await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let second = Server::start(&world.database, dir.path(), &[secret]);
    let (here, there) = (Client::new(&world.server.url), Client::new(&second.url));
    let (app, codes) = turn_on(&ann, "ann").await;
    let token = pending(&here, "ann").await;
    let code = app.code(1);
    second_step(&there, &token, &code).await.expect(200);
    second_step(&here, &token, &code).await.expect(400);
    second_step(&here, &token, &codes[0]).await.expect(200);
    second_step(&there, &token, &codes[0]).await.expect(400);
    forget_steps(&world).await;
    let code = &app.code(0);
    let tries = (0..4).map(|i| {
        let client = Client::new(if i % 2 == 0 { &world.server.url } else { &second.url });
        let token = &token;
        async move { second_step(&client, token, code).await.status }
    });
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    let started = Instant::now();
    let mut looked_at = 0;
    while second_step([&here, &there][looked_at % 2], &token, &app.wrong()).await.status == 400 {
        looked_at += 1;
        assert!(looked_at < 100, "nothing stops guesses");
    }
    let come_back = usize::try_from(started.elapsed().as_secs() / 6).expect("a few");
    assert!(looked_at <= 10 + come_back, "{looked_at} were looked at");
    second_step(&here, &token, &codes[1]).await.expect(429);
    second_step(&there, &token, &codes[1]).await.expect(429);
}
