//! Which passwords people may choose: by signing up, by changing theirs, and on the command line.

use std::io::Write as _;
use std::process::Stdio;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::once;
use crate::support::backend::Backend;
use crate::support::server::{Client, LOOSE, Settings, World, command, password};

pub fn trials() -> Vec<Trial> {
    once![
        s03_common_passwords_are_refused,
        s03_names_make_no_password,
        s03_any_characters_and_nothing_is_cut,
        s03_every_way_to_a_password_asks_the_same,
    ]
}

const OPEN: Settings<'_> =
    &[LOOSE, ("SIGNUP", "open"), ("SIGNUPS_PER_HOUR", "10000"), ("PUBLIC_URL", "http://riverside.example/"), HOSTS];
const HOSTS: (&str, &str) = ("ALLOWED_HOSTS", "127.0.0.1");

/// What is said of a password by somebody who wants an account; nothing if it is taken.
async fn said_of(world: &World, name: &str, email: &str, password: &str) -> Value {
    let body = json!({"username": name, "email": email, "password": password});
    let answer = Client::new(&world.server.url).post("/api/v1/signup/", &body).await;
    if answer.status == 201 { Value::Null } else { answer.expect(400)["password"][0].clone() }
}

async fn s03_common_passwords_are_refused() {
    let list = include_str!("../../../src/auth/common-passwords.txt");
    assert!(list.lines().filter(|word| word.chars().count() >= 8).count() >= 3000);
    let world = World::with(Backend::Sqlite, OPEN).await;
    for word in list.lines().step_by(300) {
        for typed in [word.to_owned(), word.to_uppercase()] {
            assert_eq!(said_of(&world, "ann", "", &typed).await, "This password is too common.", "{typed}");
        }
    }
}

async fn s03_names_make_no_password() {
    let world = World::with(Backend::Sqlite, OPEN).await;
    for (password, what) in [
        ("Rosalind.F", "username"),
        ("rosalind1952", "username"),
        ("photo-fifty-1", "email address"),
        ("Riverside123", "name of this site"),
        ("chatd-chatd", "name of this site"),
    ] {
        let said = said_of(&world, "rosalind.f", "photo.fifty@example.org", password).await;
        assert_eq!(said, format!("The password is too similar to the {what}."), "{password}");
    }
    assert_eq!(said_of(&world, "rosalind.f", "photo.fifty@example.org", "rosalind rows upstream").await, Value::Null);
}

async fn s03_any_characters_and_nothing_is_cut() {
    let world = World::with(Backend::Sqlite, OPEN).await;
    let long = format!("{}y", "ゆ".repeat(127));
    for (name, good) in
        [("low", "correcthorse"), ("spaced", "  two  spaces  "), ("yuki", "ゆきのパスワード"), ("long", &long)]
    {
        assert_eq!(said_of(&world, name, "", good).await, Value::Null, "{good}");
        let sign_in = async |password: &str| {
            let body = json!({"username": name, "password": password});
            Client::new(&world.server.url).post("/api/v1/session/", &body).await.status
        };
        assert_eq!(sign_in(good).await, 200, "{good}");
        let cut: String = good.chars().take(good.chars().count() - 1).collect();
        assert_eq!(sign_in(&cut).await, 400, "{good}, without its last character");
        assert_eq!(sign_in(&good.to_uppercase()).await, if name == "yuki" { 200 } else { 400 }, "{good}, in capitals");
    }
    // An accent is the same one, however the keyboard writes it.
    assert_eq!(said_of(&world, "eva", "", "e\u{301}tude pour E\u{301}va").await, Value::Null);
    let body = json!({"username": "eva", "password": "\u{e9}tude pour \u{c9}va"});
    Client::new(&world.server.url).post("/api/v1/session/", &body).await.expect(200);
    for (bad, why) in
        [("x".repeat(129), "too long"), ("ゆき".repeat(3), "too short"), ("e\u{301}".repeat(7), "too short")]
    {
        assert!(said_of(&world, "x", "", &bad).await.as_str().is_some_and(|said| said.contains(why)), "{bad}");
    }
}

async fn s03_every_way_to_a_password_asks_the_same() {
    let world = World::with(Backend::Sqlite, OPEN).await;
    let ann = world.person("annabella").await;
    for (weak, said) in [("Sunshine1", "too common"), ("annabella-2", "too similar to the username")] {
        let body = json!({"current_password": password("annabella"), "new_password": weak});
        let refused = ann.post("/api/v1/account/password/", &body).await.expect(400);
        assert!(refused["new_password"][0].as_str().is_some_and(|text| text.contains(said)), "{refused}");
        for args in
            [["user", "set", "annabella", "--password-stdin"], ["user", "add", "annabella2", "--password-stdin"]]
        {
            let mut chatd = command(&world.database, world.dir.path(), OPEN);
            chatd.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
            let mut child = chatd.spawn().expect("it starts");
            child.stdin.take().expect("piped").write_all(format!("{weak}\n").as_bytes()).expect("told");
            let output = child.wait_with_output().expect("it ends");
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.code() == Some(1) && told.contains(said), "{args:?}: {told}");
        }
    }
}
