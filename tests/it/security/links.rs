//! Links that are sent by mail: for a forgotten password, for another address, for an account that is to be made.

use std::time::Duration;

use futures_util::future::join_all;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::column;
use crate::support::backend::{BOTH, Backend, Database, on_each, run};
use crate::support::server::{Answer, Client, LOOSE, Server, World, password};
use crate::support::services::lasting_port;
use crate::support::smtp::{self, OwnSmtp};
use crate::support::until;

macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        pub fn trials() -> Vec<Trial> {
            let mut trials = Vec::new();
            $(trials.extend(on_each(&BOTH, concat!("security::", stringify!($test)), $test));)*
            smtp::where_it_is_here(trials)
        }
    };
}

on_both![
    s30_a_forgotten_password_is_replaced_by_a_link,
    s30_the_page_does_the_same,
    s30_a_link_holds_for_an_hour_and_for_the_account_as_it_was,
    s30_a_link_is_for_one_purpose,
    s05_nobody_learns_whether_there_is_an_account,
    s35_so_many_links_an_hour,
    s43_a_link_has_one_winner,
    s44_mail_that_is_down_loses_no_link,
    s09_another_address_is_confirmed_and_ends_the_others,
    s09_without_mail_another_address_is_taken_at_once,
    s30_an_account_is_made_by_the_link,
    s30_an_account_is_made_on_the_page_under_another_name,
];

const FORGOT: &str = "/api/v1/password/forgot/";
const RESET: &str = "/api/v1/password/reset/";
const EMAIL: &str = "/api/v1/account/email/";
const CONFIRM_EMAIL: &str = "/api/v1/email/confirm/";
const SIGN_UP: &str = "/api/v1/signup/";
const CONFIRM_SIGN_UP: &str = "/api/v1/signup/confirm/";
const NEW: &str = "a quite new password";
const UNUSABLE: &str = "This link cannot be used. Ask for a new one.";

/// A server that sends mail.
struct Mailed {
    world: World,
    mail: OwnSmtp,
}

impl Mailed {
    async fn new(backend: Backend) -> Self {
        Self::with(backend, &[LOOSE, ("MAILS_PER_HOUR", "1000"), ("PASSWORD_RESETS_PER_HOUR", "1000")]).await
    }

    async fn with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let database = Database::new(backend).await;
        let dir = tempfile::tempdir().expect("a directory");
        let mail = OwnSmtp::start(&dir.path().join("mail"), &[]);
        let port = lasting_port();
        let (url, public) = (format!("smtp://localhost:{}?tls=none", mail.port), format!("http://127.0.0.1:{port}"));
        let own = [("EMAIL_URL", &*url), ("EMAIL_FROM", "chatd@example.org"), ("PUBLIC_URL", &*public)];
        let server = Server::start_at(&database, dir.path(), port, &[&own, settings].concat());
        Self { world: World { server, database, dir }, mail }
    }

    /// A person with an address, signed in.
    async fn person(&self, name: &str) -> Client {
        let client = self.world.person(name).await;
        run(
            &self.world.database.url,
            &format!("UPDATE users SET email = '{name}@Example.org' WHERE username = '{name}'"),
        )
        .await;
        client
    }

    fn nobody(&self) -> Client {
        Client::new(&self.world.server.url)
    }

    async fn forgot(&self, who: &str) -> Answer {
        self.nobody().post(FORGOT, &json!({"user": who})).await
    }

    async fn reset(&self, token: &str, password: &str) -> Answer {
        self.nobody().post(RESET, &json!({"token": token, "new_password": password})).await
    }

    /// The mail of this number, from 0.
    async fn mail(&self, number: usize) -> Value {
        self.mail.taken(number + 1).await.swap_remove(number)
    }

    /// The path in the mail of this number, and its token.
    async fn link(&self, number: usize) -> (String, String) {
        let mail = self.mail(number).await;
        let text = mail["text"].as_str().expect("text");
        let start = format!("\n{}/", self.world.server.url);
        let rest = text.split_once(&start).unwrap_or_else(|| panic!("no link in {text}")).1;
        let path = rest.lines().next().expect("a line");
        let token = path.trim_end_matches('/').rsplit('/').next().expect("a token");
        assert_eq!(token.len(), 43, "{path}");
        assert!(mail["html"].as_str().is_some_and(|html| html.contains(path)), "{mail}");
        (format!("/{path}"), token.to_owned())
    }

    async fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.nobody().post("/api/v1/session/", &json!({"username": name, "password": password})).await
    }

    async fn sql(&self, statement: &str) {
        run(&self.world.database.url, statement).await;
    }
}

fn subject(mail: &Value) -> &str {
    mail["headers"]["Subject"].as_str().expect("a subject")
}

async fn is_signed_in(client: &Client) -> bool {
    client.get("/api/v1/session/").await.status == 200
}

async fn s30_a_forgotten_password_is_replaced_by_a_link(backend: Backend) {
    let w = Mailed::new(backend).await;
    let ann = w.person("ann").await;
    w.forgot(" Ann ").await.expect(202);
    let mail = w.mail(0).await;
    assert_eq!((&mail["to"][0], subject(&mail)), (&json!("ann@example.org"), "Choose a new password"));
    let (path, token) = w.link(0).await;
    assert_eq!(path, format!("/password/{token}/"));
    // By the address, in another case; both links hold until one is used.
    w.forgot("ANN@example.ORG").await.expect(202);
    let (_, second) = w.link(1).await;
    let stored = column(&w.world.database, "SELECT token_hash FROM account_links").await;
    assert!(stored.contains(&chatd::auth::hash_token(&token)) && !stored.contains(&token), "{stored:?}");
    let weak = w.reset(&token, "password").await.expect(400);
    assert_eq!(weak, json!({"new_password": ["This password is too common."]}));
    assert!(is_signed_in(&ann).await);
    let done = w.reset(&token, NEW).await;
    assert_eq!((done.status, done.all("set-cookie").any(|cookie| cookie.starts_with("sessionid="))), (204, false));
    assert!(!is_signed_in(&ann).await, "every session has ended");
    w.sign_in("ann", &password("ann")).await.expect(400);
    w.sign_in("ann", NEW).await.expect(200);
    for used in [&token, &second] {
        assert_eq!(w.reset(used, "one more password").await.expect(400), json!({"token": [UNUSABLE]}));
    }
    w.sign_in("ann", NEW).await.expect(200);
    assert_eq!(subject(&w.mail(2).await), "Your password was changed");
    let log = w.world.server.log();
    assert!(!log.contains(&token) && !log.contains(NEW) && !log.contains("ann@"), "{log}");
}

async fn s30_the_page_does_the_same(backend: Backend) {
    let w = Mailed::new(backend).await;
    w.person("ann").await;
    let eve = w.nobody();
    assert!(eve.get("/login/").await.body.contains("href=\"/password/\""));
    let page = eve.get("/password/").await;
    assert_eq!((page.status, page.header("referrer-policy")), (200, Some("no-referrer")));
    let send = async |path: &str, fields: &str| {
        let token = eve.cookie("csrftoken").expect("a token");
        eve.form(path, &format!("csrfmiddlewaretoken={token}&{fields}")).await
    };
    assert_eq!(eve.form("/password/", "username=ann").await.status, 403, "forged");
    let sent = send("/password/", "username=ann").await;
    let unknown = send("/password/", "username=nobody").await;
    assert_eq!((sent.status, &sent.body), (200, &unknown.body));
    let (path, token) = w.link(0).await;
    let page = eve.get(&path).await;
    assert_eq!((page.status, page.header("referrer-policy")), (200, Some("no-referrer")));
    assert_eq!(page.header("cache-control"), Some("max-age=0, no-cache, no-store, must-revalidate, private"));
    assert!(
        page.body.contains("value=\"ann\"") && page.body.contains("autocomplete=\"new-password\""),
        "{}",
        page.body
    );
    let weak = send(&path, "username=ann&password=sesame").await;
    assert!(weak.status == 400 && weak.body.contains("too short") && !weak.body.contains("sesame"), "{}", weak.body);
    let done = send(&path, "username=ann&password=a+quite+new+password").await;
    assert!(done.status == 200 && done.body.contains("href=\"/login/\""), "{}", done.body);
    assert!(!is_signed_in(&eve).await);
    w.sign_in("ann", NEW).await.expect(200);
    for unusable in [&*path, "/password/x/"] {
        let page = eve.get(unusable).await;
        assert!(page.status == 403 && page.body.contains("This link cannot be used."), "{page:?}");
    }
    let german = eve.send("GET", "/password/", &[("Accept-Language", "de")], None).await;
    assert!(german.body.contains("Passwort vergessen?"));
    send("/password/", "username=ann").await;
    let log = w.world.server.log();
    assert!(log.contains("/password/***/") && !log.contains(&token), "{log}");
    let german = [("Accept-Language", "de"), ("Content-Type", "application/json")];
    eve.send("POST", FORGOT, &german, Some(json!({"user": "ann"}).to_string().into_bytes())).await.expect(202);
    let subjects: Vec<_> = w.mail.taken(4).await.iter().map(|mail| subject(mail).to_owned()).collect();
    assert!(subjects.contains(&"Ein neues Passwort wählen".to_owned()), "{subjects:?}");
}

async fn s30_a_link_holds_for_an_hour_and_for_the_account_as_it_was(backend: Backend) {
    let w = Mailed::new(backend).await;
    let ann = w.person("ann").await;
    let mut mails = 0;
    let mut fresh = async || {
        w.forgot("ann").await.expect(202);
        mails += 1;
        (w.link(mails - 1).await.1, mails)
    };
    let (expired, _) = fresh().await;
    w.sql("UPDATE account_links SET expires_at = expires_at - 3600000000").await;
    w.reset(&expired, NEW).await.expect(400);
    // The owner remembered it, and changed it: a mail tells of that.
    let (overtaken, _) = fresh().await;
    let change = json!({"current_password": password("ann"), "new_password": "remembered and changed"});
    ann.post("/api/v1/account/password/", &change).await.expect(204);
    assert_eq!(subject(&w.mail(2).await), "Your password was changed");
    w.reset(&overtaken, NEW).await.expect(400);
    w.forgot("ann").await.expect(202);
    let (_, moved) = w.link(3).await;
    w.sql("UPDATE users SET email = 'other@example.org'").await;
    w.reset(&moved, NEW).await.expect(400);
    w.forgot("ann").await.expect(202);
    let (_, locked) = w.link(4).await;
    w.sql("UPDATE users SET is_active = 0").await;
    w.reset(&locked, NEW).await.expect(400);
    w.forgot("ann").await.expect(202);
    w.sql("UPDATE users SET is_active = 1").await;
    w.sign_in("ann", "remembered and changed").await.expect(200);
    w.forgot("ann").await.expect(202);
    // Who may not sign in got none: this is the next mail.
    let (_, good) = w.link(5).await;
    w.reset(&good, NEW).await.expect(204);
    w.sign_in("ann", NEW).await.expect(200);
}

async fn s30_a_link_is_for_one_purpose(backend: Backend) {
    let w = Mailed::new(backend).await;
    let ann = w.person("ann").await;
    let wish = json!({"current_password": password("ann"), "email": "new@example.org"});
    ann.post(EMAIL, &wish).await.expect(202);
    let (_, for_email) = w.link(0).await;
    w.forgot("ann").await.expect(202);
    let (_, for_password) = w.link(1).await;
    w.reset(&for_email, NEW).await.expect(400);
    for (path, token) in
        [(CONFIRM_EMAIL, &for_password), (CONFIRM_EMAIL, &"x".repeat(43)), (CONFIRM_EMAIL, &String::new())]
    {
        assert_eq!(ann.post(path, &json!({"token": token})).await.expect(400), json!({"token": [UNUSABLE]}));
    }
    assert_eq!(ann.get("/api/v1/account/").await.expect(200)["email"], "ann@Example.org");
    w.reset(&for_password, NEW).await.expect(204);
}

/// Neither from what is answered nor from how much was done before it: people are looked for afterwards.
async fn s05_nobody_learns_whether_there_is_an_account(backend: Backend) {
    let settings = [LOOSE, ("SIGNUP", "open"), ("SIGNUPS_PER_HOUR", "1000"), ("MAILS_PER_HOUR", "1000")];
    let w = Mailed::with(backend, &settings).await;
    w.person("ann").await;
    let plain = |answer: Answer| {
        let mut headers = answer.headers;
        headers.retain(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
        (answer.status, headers, answer.body)
    };
    let known = plain(w.forgot("ann").await);
    assert_eq!(known.0, 202);
    for unknown in ["nobody", "nobody@example.org", "a b", "ann\u{200b}"] {
        let answer = w.forgot(unknown).await;
        assert_eq!(plain(answer), known, "{unknown:?}");
    }
    for (nothing, why) in [("", "This field may not be blank."), ("x\u{0}", "Null characters are not allowed.")] {
        assert_eq!(w.forgot(nothing).await.expect(400), json!({"user": [why]}), "{nothing:?}");
    }
    let apply = async |name: &str, email: &str| {
        plain(w.nobody().post(SIGN_UP, &json!({"username": name, "password": NEW, "email": email})).await)
    };
    let (taken, free) = (apply("eve", "ANN@example.org").await, apply("eve", "eve@example.org").await);
    assert_eq!((taken.0, &taken), (202, &free));
    let mails = w.mail.taken(3).await;
    let to = |subject_is: &str| {
        let mail = mails.iter().find(|mail| subject(mail) == subject_is);
        mail.unwrap_or_else(|| panic!("{subject_is} is not among {mails:?}"))["to"][0].clone()
    };
    assert_eq!(to("Choose a new password"), "ann@example.org");
    assert_eq!(to("You have an account already"), "ann@example.org");
    assert_eq!(to("Confirm your account"), "eve@example.org");
}

/// With the defaults: five letters to one address, whoever asks, of which nothing is said; and twenty wishes from one
/// address, of which something is.
async fn s35_so_many_links_an_hour(backend: Backend) {
    let w = Mailed::with(backend, &[LOOSE]).await;
    w.person("ann").await;
    w.person("bob").await;
    for _ in 0..10 {
        w.forgot("ann").await.expect(202);
    }
    for _ in 0..10 {
        w.forgot("bob").await.expect(202);
    }
    let refused = w.forgot("bob").await;
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").expect("a wait").parse().expect("seconds");
    assert!((1..=180).contains(&wait), "{wait}");
    let page = w.nobody();
    page.get("/password/").await;
    let token = page.cookie("csrftoken").expect("a token");
    let refused = page.form("/password/", &format!("csrfmiddlewaretoken={token}&username=bob")).await;
    assert!(refused.status == 429 && refused.body.contains("value=\"bob\""), "{}", refused.body);
    let mails = w.mail.taken(10).await;
    let to = |address: &str| mails.iter().filter(|mail| mail["to"][0] == address).count();
    assert_eq!((mails.len(), to("ann@example.org"), to("bob@example.org")), (10, 5, 5));
}

async fn s43_a_link_has_one_winner(backend: Backend) {
    let w = Mailed::new(backend).await;
    w.person("ann").await;
    w.forgot("ann").await.expect(202);
    let (_, token) = w.link(0).await;
    let passwords: Vec<_> = (0..24).map(|i| format!("a quite new password {i}")).collect();
    let done = join_all(passwords.iter().map(|new| w.reset(&token, new))).await;
    let won: Vec<_> = done.iter().enumerate().filter(|(_, answer)| answer.status == 204).map(|(i, _)| i).collect();
    assert_eq!(won.len(), 1, "{done:?}");
    assert!(done.iter().all(|answer| [204, 400].contains(&answer.status)), "{done:?}");
    w.sign_in("ann", &passwords[won[0]]).await.expect(200);
}

async fn s44_mail_that_is_down_loses_no_link(backend: Backend) {
    let w = Mailed::new(backend).await;
    w.person("ann").await;
    w.mail.kill();
    w.forgot("ann").await.expect(202);
    let store = w.world.database.store().await;
    until("the mail to have failed once", Duration::from_secs(20), || async {
        let queue = chatd::store::Mails::mail_queue(&*store).await.expect("the queue");
        (queue.waiting == 1 && queue.last_error.is_some()).then_some(())
    })
    .await;
    w.mail.launch();
    w.sql("UPDATE outgoing_mail SET due_at = 0").await;
    let (_, token) = w.link(0).await;
    w.reset(&token, NEW).await.expect(204);
}

async fn s09_another_address_is_confirmed_and_ends_the_others(backend: Backend) {
    let w = Mailed::new(backend).await;
    let (ann, phone) = (w.person("ann").await, Client::signed_in(&w.world.server.url, "ann").await);
    let wish = |password: &str, email: &str| json!({"current_password": password, "email": email});
    let wrong = ann.post(EMAIL, &wish("wrong", "new@example.org")).await.expect(400);
    assert_eq!(wrong, json!({"current_password": ["This is not your password."]}));
    let bad = ann.post(EMAIL, &wish(&password("ann"), "nowhere")).await.expect(400);
    assert_eq!(bad, json!({"email": ["Enter a valid email address."]}));
    ann.post(EMAIL, &wish(&password("ann"), "new@example.org")).await.expect(202);
    let mail = w.mail(0).await;
    assert_eq!((&mail["to"][0], subject(&mail)), (&json!("new@example.org"), "Confirm your new address"));
    let (path, token) = w.link(0).await;
    let address = async |client: &Client| client.get("/api/v1/account/").await.expect(200)["email"].clone();
    // Programs look at links in mails: that changes nothing.
    let page = ann.get(&path).await;
    assert!(page.status == 200 && page.body.contains("new@example.org"), "{}", page.body);
    assert_eq!((address(&ann).await, is_signed_in(&phone).await), (json!("ann@Example.org"), true));
    let before = ann.cookie("sessionid");
    let csrf = ann.cookie("csrftoken").expect("a token");
    let done = ann.form(&path, &format!("csrfmiddlewaretoken={csrf}")).await;
    assert!(done.status == 200 && done.body.contains("new@example.org"), "{}", done.body);
    assert_eq!((address(&ann).await, is_signed_in(&phone).await), (json!("new@example.org"), false));
    assert_ne!(ann.cookie("sessionid"), before, "a new token for who confirmed it");
    assert_eq!(ann.post(CONFIRM_EMAIL, &json!({"token": token})).await.status, 400, "once");
    let told = w.mail(1).await;
    assert_eq!(
        (&told["to"][0], subject(&told)),
        (&json!("ann@example.org"), "The address of your account was changed")
    );
    // Where nobody is signed in, nobody is afterwards.
    ann.post(EMAIL, &wish(&password("ann"), "third@example.org")).await.expect(202);
    let (_, token) = w.link(2).await;
    let elsewhere = w.nobody();
    elsewhere.post(CONFIRM_EMAIL, &json!({"token": token})).await.expect(204);
    assert!(!is_signed_in(&elsewhere).await && !is_signed_in(&ann).await);
    // An empty one removes it, and needs no link.
    let ann = Client::signed_in(&w.world.server.url, "ann").await;
    ann.post(EMAIL, &wish(&password("ann"), "")).await.expect(204);
    assert_eq!(address(&ann).await, "");
}

async fn s09_without_mail_another_address_is_taken_at_once(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let (ann, phone) = (world.person("ann").await, Client::signed_in(&world.server.url, "ann").await);
    let before = ann.cookie("sessionid");
    let wish = json!({"current_password": password("ann"), "email": " new@example.org "});
    ann.post(EMAIL, &wish).await.expect(204);
    assert_eq!(ann.get("/api/v1/account/").await.expect(200)["email"], "new@example.org");
    assert!(!is_signed_in(&phone).await && ann.cookie("sessionid") != before);
    let nobody = Client::new(&world.server.url);
    let refused = nobody.post(FORGOT, &json!({"user": "ann"})).await.expect(403);
    assert_eq!(refused, json!({"detail": "This server sends no mail. Ask those who run it for a new password."}));
    let page = nobody.get("/password/").await;
    assert!(page.status == 403 && page.body.contains("This server sends no mail."), "{page:?}");
    assert!(!nobody.get("/login/").await.body.contains("/password/"));
}

async fn s30_an_account_is_made_by_the_link(backend: Backend) {
    let settings = [LOOSE, ("SIGNUP", "invite"), ("SIGNUPS_PER_HOUR", "1000"), ("MAILS_PER_HOUR", "1000")];
    let w = Mailed::with(backend, &settings).await;
    let root = w.world.person("root").await;
    w.sql("UPDATE users SET is_staff = 1").await;
    let url = root.post("/api/v1/invite/", &json!({"uses": 1})).await.expect(201)["url"].clone();
    let invite = url.as_str().expect("a link").trim_end_matches('/').rsplit('/').next().expect("a token").to_owned();
    let eve = w.nobody();
    assert_eq!(eve.get(SIGN_UP).await.expect(200)["email_required"], true);
    let wish = |name: &str, email: &str| json!({"username": name, "password": NEW, "email": email, "invite": invite});
    let refused = eve.post(SIGN_UP, &wish("eve", "")).await.expect(400);
    assert_eq!(refused, json!({"email": ["This field may not be blank."]}));
    let sent = eve.post(SIGN_UP, &wish("eve", "eve@example.org")).await;
    sent.expect(202);
    assert!(!is_signed_in(&eve).await);
    w.sign_in("eve", NEW).await.expect(400);
    let (path, token) = w.link(0).await;
    assert_eq!(path, format!("/signup/confirm/{token}/"));
    // A wish uses up nothing: neither the name nor the invite.
    eve.post(SIGN_UP, &wish("eve", "other@example.org")).await.expect(202);
    let (_, other) = w.link(1).await;
    let made = eve.post(CONFIRM_SIGN_UP, &json!({"token": token})).await;
    assert_eq!(made.expect(201)["user"], "eve");
    assert_eq!(eve.get("/api/v1/account/").await.expect(200)["email"], "eve@example.org");
    w.sign_in("eve", NEW).await.expect(200);
    assert_eq!(eve.post(CONFIRM_SIGN_UP, &json!({"token": token})).await.expect(400), json!({"token": [UNUSABLE]}));
    let taken = w.nobody().post(CONFIRM_SIGN_UP, &json!({"token": other})).await.expect(400);
    assert_eq!(taken, json!({"username": ["A user with that username already exists."]}));
    let used = w.nobody().post(CONFIRM_SIGN_UP, &json!({"token": other, "username": "eva"})).await.expect(400);
    assert_eq!(used, json!({"invite": ["This invite cannot be used. Ask for a new one."]}));
    w.sql("UPDATE invites SET most_uses = 2").await;
    w.sql("UPDATE account_links SET expires_at = expires_at - 86400000000").await;
    let expired = w.nobody().post(CONFIRM_SIGN_UP, &json!({"token": other, "username": "eva"})).await;
    assert_eq!(expired.expect(400), json!({"token": [UNUSABLE]}));
}

async fn s30_an_account_is_made_on_the_page_under_another_name(backend: Backend) {
    let settings = [LOOSE, ("SIGNUP", "open"), ("SIGNUPS_PER_HOUR", "1000"), ("MAILS_PER_HOUR", "1000")];
    let w = Mailed::with(backend, &settings).await;
    let eve = w.nobody();
    let page = eve.get("/signup/").await;
    assert!(
        page.status == 200 && page.body.contains("type=\"email\" autocomplete=\"email\" maxlength=\"254\" required")
    );
    let send = async |path: &str, fields: &str| {
        let token = eve.cookie("csrftoken").expect("a token");
        eve.form(path, &format!("csrfmiddlewaretoken={token}&{fields}")).await
    };
    let sent = send("/signup/", "username=eve&email=eve%40example.org&password=a+quite+new+password").await;
    assert!(sent.status == 200 && sent.body.contains("eve@example.org"), "{}", sent.body);
    let (path, _) = w.link(0).await;
    w.world.add("eve").await;
    let page = eve.get(&path).await;
    assert!(page.status == 200 && page.body.contains("value=\"eve\""), "{}", page.body);
    let taken = send(&path, "username=eve").await;
    assert!(taken.status == 400 && taken.body.contains("already exists"), "{}", taken.body);
    let made = send(&path, "username=eva").await;
    assert_eq!((made.status, made.header("location")), (303, Some("/")));
    assert_eq!(eve.get("/api/v1/session/").await.expect(200)["user"], "eva");
    assert_eq!(eve.get(&path).await.status, 403);
}
