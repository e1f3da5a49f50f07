//! Passkeys: what an authenticator in software says rightly is taken, and whatever is wrong with it is not.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{chatd_ok, column, once};
use crate::support::authenticator::{Authenticator, PRESENT, VERIFIED, text, with};
use crate::support::backend::{BOTH, Backend, on_each, run};
use crate::support::factors::{FACTOR, SESSION, STEP, first_step, forget_steps, pending, turn_on};
use crate::support::server::{Answer, Client, LOOSE, Server, Settings, World, password};

pub fn trials() -> Vec<Trial> {
    let mut trials = once![
        s32_made_for_this_site_alone,
        s32_somebody_has_to_be_verified,
        s32_a_count_that_goes_back_is_refused,
        s32_somebody_elses_is_refused,
        s32_changes_need_the_password_and_the_factor,
        s32_the_page_takes_passkeys,
        s32_passkeys_want_a_name,
    ];
    let name = "security::s32_a_passkey_is_a_second_step_and_a_way_in";
    trials.extend(on_each(&BOTH, name, s32_a_passkey_is_a_second_step_and_a_way_in));
    trials.extend(on_each(&BOTH, "security::s32_a_challenge_is_answered_once", s32_a_challenge_is_answered_once));
    let name = "security::s32_processes_take_a_challenge_once";
    trials.extend(on_each(&[Backend::MariaDb], name, s32_processes_take_a_challenge_once));
    trials
}

const HERE: Settings<'_> = &[LOOSE, ("PUBLIC_URL", "https://chat.example/"), ("ALLOWED_HOSTS", "127.0.0.1")];
const PASSKEY: &str = "/api/v1/account/passkey/";
const START: &str = "/api/v1/account/passkey/start/";
const ASK: &str = "/api/v1/session/passkey/";
const SIGN_IN: &str = "/api/v1/session/passkey/sign-in/";

fn authenticator() -> Authenticator {
    Authenticator::new("chat.example", "https://chat.example")
}

fn refused() -> Value {
    json!({"non_field_errors": ["This passkey was not accepted."]})
}

async fn start(client: &Client, name: &str) -> Value {
    client.post(START, &json!({"current_password": password(name)})).await.expect(200)
}

/// The first passkey of an account; its recovery codes.
async fn add(client: &Client, name: &str) -> (Authenticator, Vec<String>) {
    let mut key = authenticator();
    let made = key.make("my key", &start(client, name).await);
    let added = client.post(PASSKEY, &made).await.expect(200);
    let codes = added["recovery_codes"].as_array().expect("codes").iter();
    (key, codes.filter_map(|code| code.as_str().map(str::to_owned)).collect())
}

async fn ask(client: &Client, token: Option<&str>) -> Value {
    client.post(ASK, &json!({"token": token})).await.expect(200)
}

async fn sign_in(client: &Client, key: &mut Authenticator) -> Answer {
    let options = ask(client, None).await;
    client.post(SIGN_IN, &key.show(&options)).await
}

async fn is_signed_in(client: &Client) -> bool {
    client.get(SESSION).await.status == 200
}

async fn s32_a_passkey_is_a_second_step_and_a_way_in(backend: Backend) {
    let world = World::with(backend, HERE).await;
    let ann = world.person("ann").await;
    let url = &world.server.url;
    let phone = Client::signed_in(url, "ann").await;
    let options = start(&ann, "ann").await;
    let of = &options["publicKey"];
    assert_eq!((&of["rp"]["id"], &of["attestation"]), (&json!("chat.example"), &json!("none")));
    assert_eq!(of["authenticatorSelection"]["userVerification"], "required");
    assert!(of["challenge"].as_str().is_some_and(|challenge| challenge.len() >= 64), "{of}");
    let before = ann.cookie("sessionid");
    let mut key = authenticator();
    let added = ann.post(PASSKEY, &key.make(" my key ", &options)).await.expect(200);
    assert_eq!(added["recovery_codes"].as_array().map(Vec::len), Some(10));
    assert_ne!(ann.cookie("sessionid"), before, "a new session id (S6)");
    assert_eq!((is_signed_in(&ann).await, is_signed_in(&phone).await), (true, false));
    let state = ann.get(FACTOR).await.expect(200);
    assert_eq!(
        (&state["on"], &state["totp_since"], &state["passkeys_here"]),
        (&json!(true), &Value::Null, &json!(true))
    );
    assert_eq!(
        (&state["passkeys"][0]["name"], &state["passkeys"][0]["last_used_at"]),
        (&json!("my key"), &Value::Null)
    );

    // The password alone is not enough any more; with the passkey it is.
    let desk = Client::new(url);
    let step = first_step(&desk, "ann").await;
    assert_eq!(step["second_factor"], json!(["passkey", "recovery"]));
    let token = step["token"].as_str().expect("a token");
    let options = ask(&desk, Some(token)).await;
    assert_eq!(
        options["publicKey"]["allowCredentials"],
        json!([{"type": "public-key", "id": text(&key.credential_id)}])
    );
    assert_eq!(options["publicKey"]["userVerification"], "required");
    desk.post(STEP, &with(&key.show(&options), json!({"token": token}))).await.expect(200);
    assert!(is_signed_in(&desk).await);
    // The passkey alone is, without a name or a password.
    let sofa = Client::new(url);
    assert_eq!(ask(&sofa, None).await["publicKey"]["allowCredentials"], json!([]), "nobody is told who has any");
    assert_eq!(sign_in(&sofa, &mut key).await.expect(200)["user"], "ann");
    assert!(is_signed_in(&sofa).await);
    assert!(ann.get(FACTOR).await.expect(200)["passkeys"][0]["last_used_at"].is_string());

    // It removes itself, with all that was there for it.
    let id = &state["passkeys"][0]["id"];
    let proof = with(&key.show(&ask(&ann, None).await), json!({"current_password": password("ann")}));
    ann.post(&format!("{PASSKEY}{id}/remove/"), &proof).await.expect(200);
    let state = ann.get(FACTOR).await.expect(200);
    assert_eq!((&state["on"], &state["recovery_codes"]), (&json!(false), &json!(0)));
    assert_eq!((is_signed_in(&sofa).await, is_signed_in(&ann).await), (false, true));
    assert_eq!(sign_in(&sofa, &mut key).await.expect(400), refused());
    Client::signed_in(url, "ann").await;
}

async fn s32_made_for_this_site_alone() {
    let world = World::with(Backend::Sqlite, HERE).await;
    let ann = world.person("ann").await;
    let mut wrong: Vec<(&str, Authenticator)> = Vec::new();
    for origin in ["https://chat.example.evil.test", "http://chat.example", "https://chat.example:8443", "null"] {
        wrong.push((origin, Authenticator { origin: origin.to_owned(), ..authenticator() }));
    }
    wrong.push(("another RP id", Authenticator { rp_id: "example".to_owned(), ..authenticator() }));
    wrong.push(("another site's page", Authenticator { cross_origin: true, ..authenticator() }));
    for (what, mut key) in wrong {
        let made = key.make("a key", &start(&ann, "ann").await);
        assert_eq!(ann.post(PASSKEY, &made).await.expect(400), refused(), "{what}");
    }
    let (mut key, _) = add(&ann, "ann").await;
    let nobody = Client::new(&world.server.url);
    let good = (key.origin.clone(), key.rp_id.clone());
    for (origin, rp_id, cross_origin) in [
        ("https://evil.test", "chat.example", false),
        ("http://chat.example", "chat.example", false),
        ("https://chat.example", "evil.test", false),
        ("https://chat.example", "chat.example", true),
    ] {
        (key.origin, key.rp_id, key.cross_origin) = (origin.to_owned(), rp_id.to_owned(), cross_origin);
        assert_eq!(sign_in(&nobody, &mut key).await.expect(400), refused(), "{origin} {rp_id}");
    }
    ((key.origin, key.rp_id), key.cross_origin) = (good, false);
    // What was said when it was made is no answer to being asked for it.
    let options = ask(&nobody, None).await;
    let made = key.make(
        "a key",
        &with(
            &options,
            json!({"publicKey": {"user": {"id": key.user_handle},
        "challenge": options["publicKey"]["challenge"]}}),
        ),
    );
    let shown = with(&key.show(&options), json!({"client_data": made["client_data"]}));
    assert_eq!(nobody.post(SIGN_IN, &shown).await.expect(400), refused());
    assert!(!is_signed_in(&nobody).await);
    sign_in(&nobody, &mut key).await.expect(200);
    assert!(world.server.log().contains("it was made for another site"), "the log has the reason");
}

async fn s32_somebody_has_to_be_verified() {
    let world = World::with(Backend::Sqlite, HERE).await;
    let ann = world.person("ann").await;
    for flags in [0, PRESENT, VERIFIED] {
        let mut key = Authenticator { flags, ..authenticator() };
        let made = key.make("a key", &start(&ann, "ann").await);
        assert_eq!(ann.post(PASSKEY, &made).await.expect(400), refused(), "{flags}");
    }
    let (mut key, _) = add(&ann, "ann").await;
    let nobody = Client::new(&world.server.url);
    for flags in [0, PRESENT, VERIFIED] {
        key.flags = flags;
        assert_eq!(sign_in(&nobody, &mut key).await.expect(400), refused(), "{flags}");
        let token = pending(&nobody, "ann").await;
        let shown = key.show(&ask(&nobody, Some(&token)).await);
        assert_eq!(nobody.post(STEP, &with(&shown, json!({"token": token}))).await.expect(400), refused(), "{flags}");
    }
    key.flags = PRESENT | VERIFIED;
    sign_in(&nobody, &mut key).await.expect(200);
}

async fn s32_a_challenge_is_answered_once(backend: Backend) {
    let world = World::with(backend, HERE).await;
    let (ann, bob) = world.two().await;
    let url = &world.server.url;
    let options = start(&ann, "ann").await;
    let mut key = authenticator();
    ann.post(PASSKEY, &key.make("one", &options)).await.expect(200);
    // Another key for the same challenge; the same key for another one's challenge.
    let mut other = authenticator();
    assert_eq!(ann.post(PASSKEY, &other.make("two", &options)).await.expect(400), refused());
    let of_bob = start(&bob, "bob").await;
    assert_eq!(ann.post(PASSKEY, &other.make("two", &of_bob)).await.expect(400), refused());

    let nobody = Client::new(url);
    let options = ask(&nobody, None).await;
    let shown = key.show(&options);
    nobody.post(SIGN_IN, &shown).await.expect(200);
    let nobody = Client::new(url);
    assert_eq!(nobody.post(SIGN_IN, &shown).await.expect(400), refused(), "replayed");
    let again = key.show(&options);
    assert_eq!(nobody.post(SIGN_IN, &again).await.expect(400), refused(), "another answer to it");
    let token = pending(&nobody, "ann").await;
    assert_eq!(nobody.post(STEP, &with(&shown, json!({"token": token}))).await.expect(400), refused());
    for bad in ["", "AAAA", of_bob["publicKey"]["challenge"].as_str().expect("a challenge")] {
        let shown = key.show(&json!({"publicKey": {"challenge": bad}}));
        assert_eq!(nobody.post(SIGN_IN, &shown).await.expect(400), refused(), "{bad}");
    }
    // One that was asked for by Bob's second step is no way for Ann.
    let (mut bobs, _) = add(&bob, "bob").await;
    let bobs_step = pending(&nobody, "bob").await;
    let asked_for_bob = ask(&nobody, Some(&bobs_step)).await;
    assert_eq!(nobody.post(SIGN_IN, &key.show(&asked_for_bob)).await.expect(400), refused());
    let shown = with(&bobs.show(&asked_for_bob), json!({"token": bobs_step}));
    nobody.post(STEP, &shown).await.expect(200);
    // Of many at once one wins.
    let shown = &key.show(&ask(&nobody, None).await);
    let tries = (0..20).map(|_| async { Client::new(url).post(SIGN_IN, shown).await.status });
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 400).count(), 19, "{answers:?}");
    // What was asked for and not answered is nowhere.
    let names = "SELECT name FROM throttle";
    let before = column(&world.database, names).await.len();
    for _ in 0..20 {
        ask(&Client::new(url), None).await;
    }
    assert_eq!(column(&world.database, names).await.len(), before, "strangers fill no table");
}

async fn s32_a_count_that_goes_back_is_refused() {
    let world = World::with(Backend::Sqlite, HERE).await;
    let (ann, bob) = world.two().await;
    let mut key = Authenticator { count: Some(5), ..authenticator() };
    ann.post(PASSKEY, &key.make("counts", &start(&ann, "ann").await)).await.expect(200);
    let nobody = Client::new(&world.server.url);
    for (count, status) in [(5, 400), (6, 200), (6, 400), (4, 400), (0, 400), (9, 200), (10, 200)] {
        key.count = Some(count);
        let answer = sign_in(&nobody, &mut key).await;
        assert_eq!(answer.status, status, "{count}: {answer:?}");
    }
    let warnings =
        world.server.log().lines().filter(|line| line.contains("WARN") && line.contains("went back")).count();
    assert_eq!(warnings, 4);
    // One that does not count.
    let (mut other, _) = add(&bob, "bob").await;
    for _ in 0..3 {
        assert_eq!(sign_in(&nobody, &mut other).await.expect(200)["user"], "bob");
    }
}

async fn s32_somebody_elses_is_refused() {
    let world = World::with(Backend::Sqlite, HERE).await;
    let (ann, bob) = world.two().await;
    let (mut anns, _) = add(&ann, "ann").await;
    let (mut bobs, _) = add(&bob, "bob").await;
    let nobody = Client::new(&world.server.url);
    let token = pending(&nobody, "ann").await;
    for options in [ask(&nobody, Some(&token)).await, ask(&nobody, None).await] {
        let shown = with(&bobs.show(&options), json!({"token": token}));
        assert_eq!(nobody.post(STEP, &shown).await.expect(400), refused());
    }
    // Her credential by his key; his handle with her credential; a credential that nobody has.
    let mut forged = Authenticator { credential_id: anns.credential_id.clone(), ..authenticator() };
    forged.user_handle = anns.user_handle.clone();
    assert_eq!(sign_in(&nobody, &mut forged).await.expect(400), refused());
    let own = std::mem::replace(&mut anns.user_handle, bobs.user_handle.clone());
    assert_eq!(sign_in(&nobody, &mut anns).await.expect(400), refused());
    anns.user_handle = own;
    assert_eq!(sign_in(&nobody, &mut authenticator()).await.expect(400), refused());
    for field in ["client_data", "authenticator_data", "signature", "credential_id", "user_handle"] {
        let shown = anns.show(&ask(&nobody, None).await);
        for bad in ["", "!", "AAAA"] {
            // Without a handle it is still the credential that says whose it is.
            let answer = nobody.post(SIGN_IN, &with(&shown, json!({field: bad}))).await;
            let status = if (field, bad) == ("user_handle", "") { 200 } else { 400 };
            assert_eq!(answer.status, status, "{field} {bad}: {answer:?}");
        }
        assert_eq!(nobody.post(SIGN_IN, &json!({field: "AAAA"})).await.status, 400);
    }
    // His factor does nothing for her account.
    let proof = with(&bobs.show(&ask(&ann, None).await), json!({"current_password": password("ann")}));
    assert_eq!(ann.post(START, &proof).await.expect(400), refused());
    let id = bob.get(FACTOR).await.expect(200)["passkeys"][0]["id"].clone();
    let proof = with(&anns.show(&ask(&ann, None).await), json!({"current_password": password("ann")}));
    ann.post(&format!("{PASSKEY}{id}/remove/"), &proof).await.expect(404);
    // A key that is stored cannot be stored for somebody else.
    let options = with(&bobs.show(&ask(&bob, None).await), json!({"current_password": password("bob")}));
    let options = bob.post(START, &options).await.expect(200);
    let taken = bob
        .post(
            PASSKEY,
            &Authenticator { credential_id: anns.credential_id.clone(), ..authenticator() }.make("taken", &options),
        )
        .await;
    assert_eq!(taken.expect(400), json!({"non_field_errors": ["This is on already."]}));
    chatd_ok(&world, &[], &["user", "set", "ann", "--inactive"], "");
    assert_eq!(sign_in(&nobody, &mut anns).await.status, 400);
    chatd_ok(&world, &[], &["user", "set", "ann", "--active"], "");
    sign_in(&nobody, &mut anns).await.expect(200);
    chatd_ok(&world, &[], &["user", "set", "ann", "--no-second-factor"], "");
    assert_eq!(sign_in(&nobody, &mut anns).await.expect(400), refused());
}

async fn s32_changes_need_the_password_and_the_factor() {
    let world = World::with(Backend::Sqlite, HERE).await;
    let ann = world.person("ann").await;
    let wrong = json!({"current_password": ["This is not your password."]});
    assert_eq!(ann.post(START, &json!({"current_password": "wrong"})).await.expect(400), wrong);
    let (app, codes) = turn_on(&ann, "ann").await;
    let no_code = json!({"code": ["This field is required."]});
    assert_eq!(ann.post(START, &json!({"current_password": password("ann")})).await.expect(400), no_code);
    forget_steps(&world).await;
    let proof = json!({"current_password": password("ann"), "code": app.code(0)});
    let options = ann.post(START, &proof).await.expect(200);
    let mut key = authenticator();
    for name in ["", " ", &"x".repeat(101), "a\u{0}b", "a\nb"] {
        let refused = ann.post(PASSKEY, &key.make(name, &options)).await.expect(400);
        assert!(refused["name"].is_array(), "{name:?}: {refused}");
    }
    let added = ann.post(PASSKEY, &key.make("ключ 🔑", &options)).await.expect(200);
    assert_eq!(added["recovery_codes"], Value::Null, "those of the app are still good");
    let id = ann.get(FACTOR).await.expect(200)["passkeys"][0]["id"].clone();
    let remove = format!("{PASSKEY}{id}/remove/");
    assert_eq!(ann.post(&remove, &json!({"current_password": password("ann")})).await.expect(400), no_code);
    assert_eq!(ann.post(&remove, &json!({"current_password": "wrong", "code": codes[0]})).await.expect(400), wrong);
    for unknown in ["0", "999", "x", "-1", "99999999999999999999"] {
        let proof = json!({"current_password": password("ann"), "code": codes[0]});
        ann.post(&format!("{PASSKEY}{unknown}/remove/"), &proof).await.expect(404);
    }
    // At most twenty.
    for n in 0..19 {
        run(
            &world.database.url,
            &format!(
                "INSERT INTO passkeys (user_id, credential_hash, credential_id, public_key, sign_count, name, \
                 created_at) VALUES (1, '{n}', x'00', x'00', 0, 'n', 0)"
            ),
        )
        .await;
    }
    let proof = json!({"current_password": password("ann"), "code": codes[0]});
    let full = json!({"non_field_errors": ["An account has at most 20 passkeys."]});
    assert_eq!(ann.post(START, &proof).await.expect(400), full);
    ann.post(&remove, &proof).await.expect(200);
    assert_eq!(ann.get(FACTOR).await.expect(200)["recovery_codes"], 9);
}

async fn s32_the_page_takes_passkeys() {
    let world = World::with(Backend::Sqlite, HERE).await;
    let ann = world.person("ann").await;
    let (mut key, _) = add(&ann, "ann").await;
    let desk = Client::new(&world.server.url);
    let page = desk.get("/login/").await;
    assert!(page.body.contains("class=\"passkey\" hidden data-challenge=\"/api/v1/session/passkey/\""), "{page:?}");
    let csrf = desk.cookie("csrftoken").expect("a token");
    let fields = |shown: &Value, more: &str| {
        let pairs = shown.as_object().expect("fields").iter();
        let pairs = pairs.map(|(name, value)| format!("{name}={}", value.as_str().expect("a text")));
        format!("csrfmiddlewaretoken={csrf}&{more}{}", pairs.collect::<Vec<_>>().join("&"))
    };
    let shown = key.show(&ask(&desk, None).await);
    let wrong = with(&shown, json!({"signature": "AAAA"}));
    let said = desk.form("/login/", &fields(&wrong, "")).await;
    assert!(said.status == 200 && said.body.contains("This passkey was not accepted."), "{said:?}");
    let done = desk.form("/login/?next=/c/bob/", &fields(&shown, "")).await;
    assert_eq!((done.status, done.header("location")), (302, Some("/c/bob/")));
    assert!(is_signed_in(&desk).await);
    // As the second step.
    let other = Client::new(&world.server.url);
    other.set_cookie("csrftoken", Some(&csrf));
    let body = format!("csrfmiddlewaretoken={csrf}&username=ann&password={}", password("ann"));
    let page = other.form("/login/", &body).await;
    let (_, rest) = page.body.split_once("name=\"token\" value=\"").expect("a token");
    let token = rest.split('"').next().expect("a token");
    assert!(page.body.contains("class=\"passkey\"") && page.body.contains("class=\"field\" hidden"), "{page:?}");
    let shown = key.show(&ask(&other, Some(token)).await);
    let done = other.form("/login/", &fields(&shown, &format!("token={token}&"))).await;
    assert_eq!(done.status, 302);
    assert!(is_signed_in(&other).await);
}

async fn s32_passkeys_want_a_name() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    assert_eq!(ann.get(FACTOR).await.expect(200)["passkeys_here"], false, "127.0.0.1 is no name");
    let not_here = json!({"non_field_errors": ["Passkeys need a server with a name and https (or localhost)."]});
    assert_eq!(ann.post(START, &json!({"current_password": password("ann")})).await.expect(400), not_here);
    assert_eq!(ann.post(ASK, &json!({})).await.expect(400), not_here);
    let key = authenticator().show(&json!({"publicKey": {"challenge": "x"}}));
    assert_eq!(ann.post(SIGN_IN, &key).await.expect(400), not_here);
    assert!(!Client::new(&world.server.url).get("/login/").await.body.contains("class=\"passkey\""));
    // Called by a name it is the name.
    let port = world.server.port;
    let local = ann.at(&format!("http://localhost:{port}"));
    let options = start(&local, "ann").await;
    assert_eq!(options["publicKey"]["rp"]["id"], "localhost");
    let mut key = Authenticator::new("localhost", &format!("http://localhost:{port}"));
    local.post(PASSKEY, &key.make("a key", &options)).await.expect(200);
    let nobody = Client::new(&local.base);
    sign_in(&nobody, &mut key).await.expect(200);
    key.origin = "http://localhost".to_owned();
    assert_eq!(sign_in(&nobody, &mut key).await.expect(400), refused(), "another port is another site");
    // Plain http under a name that is not localhost: browsers have none there.
    let plain =
        World::with(Backend::Sqlite, &[LOOSE, ("PUBLIC_URL", "http://chat.example/"), ("ALLOWED_HOSTS", "127.0.0.1")])
            .await;
    assert_eq!(plain.person("ann").await.get(FACTOR).await.expect(200)["passkeys_here"], false);
}

async fn s32_processes_take_a_challenge_once(backend: Backend) {
    let secret = ("SECRET_KEY", "one secret for both of these processes");
    let settings = [HERE, &[secret]].concat();
    let world = World::with(backend, &settings).await;
    let ann = world.person("ann").await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let second = Server::start(&world.database, dir.path(), &settings);
    let urls = [world.server.url.as_str(), &second.url];
    let there = ann.at(urls[1]);
    let options = start(&ann, "ann").await;
    let mut key = authenticator();
    there.post(PASSKEY, &key.make("a key", &options)).await.expect(200);
    for round in 0..3 {
        let shown = &key.show(&ask(&Client::new(urls[round % 2]), None).await);
        let tries = (0..10).map(|i| async move { Client::new(urls[i % 2]).post(SIGN_IN, shown).await.status });
        let answers = futures_util::future::join_all(tries).await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    }
}
