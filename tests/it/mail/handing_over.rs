//! One delivery: what arrives, how it is encrypted, and how it fails.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use chatd::domain::{Clock as _, SystemClock};
use chatd::mail::{self, DeliveryError, Mailbox, Stage, Step};
use libtest_mimic::Trial;

use super::{address, from, letter};
use crate::support::services::lasting_port;
use crate::support::smtp::{Certificate, OwnSmtp};
use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("mail::what_arrives", what_arrives),
        trial("mail::addresses_beyond_ascii", addresses_beyond_ascii),
        trial("mail::certificates_are_checked", certificates_are_checked),
        trial("mail::without_encryption_nothing_is_sent", without_encryption_nothing_is_sent),
        trial("mail::nothing_open_is_taken_for_encrypted", nothing_open_is_taken_for_encrypted),
        trial("mail::encrypted_from_the_first_byte_on", encrypted_from_the_first_byte_on),
        trial("mail::signing_in", signing_in),
        trial("mail::refusals_are_told_apart", refusals_are_told_apart),
        trial("mail::a_silent_server_is_not_waited_for", a_silent_server_is_not_waited_for),
        trial("mail::a_directory_takes_everything", a_directory_takes_everything),
    ]
}

const LIMIT: Duration = Duration::from_secs(10);

/// Sends a mail; what came of it, and the steps that were taken.
async fn send(url: &str, to: &str, limit: Duration) -> (Result<(), DeliveryError>, Vec<Step>) {
    let to = address(to);
    let mailer = mail::open(url, &from(), limit).expect("a good address");
    let message = mail::message(&from(), &Mailbox::new("Ann Ü", to.clone()), &letter("Grüße 🎉"), SystemClock.now());
    let steps = Mutex::default();
    let done = mailer.deliver(&to, &message, &|step| Vec::push(&mut steps.lock().unwrap(), step)).await;
    (done, steps.into_inner().unwrap())
}

/// Where it failed, and why.
async fn failure(url: &str, to: &str) -> (Stage, String, bool) {
    let (done, _) = send(url, to, LIMIT).await;
    let DeliveryError { at, why, is_final } = done.expect_err("it fails");
    (at, why, is_final)
}

async fn what_arrives() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = OwnSmtp::start(dir.path(), &[]);
    let (done, steps) = send(&format!("smtp://127.0.0.1:{}", server.port), "Ann@Example.NET", LIMIT).await;
    done.expect("it is taken");
    assert!(matches!(&steps[..], [Step::Connected(_), Step::Open, Step::RecipientTaken, Step::Taken(_)]), "{steps:?}");
    assert_eq!(steps[3], Step::Taken("250 OK: number 1".to_owned()));
    let mail = &server.taken(1).await[0];
    assert_eq!(
        (mail["from"].as_str(), &mail["to"]),
        (Some("chatd@example.org"), &serde_json::json!(["Ann@example.net"]))
    );
    assert_eq!((mail["encrypted"].as_bool(), mail["hello"].as_str()), (Some(false), Some("example.org")));
    let header = |name: &str| mail["headers"][name].as_str().unwrap_or_default();
    assert_eq!(header("From"), "chätd <chatd@example.org>");
    assert_eq!(header("To"), "Ann Ü <Ann@example.net>");
    assert_eq!(header("Subject"), "Grüße 🎉");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert!(header("Message-ID").ends_with("@example.org>") && !header("Date").is_empty(), "{mail}");
    assert_eq!(mail["defects"], serde_json::json!([]));
    let text = "Hello <ann> 🎉, this is for you: نص.\n.\nA line with a dot alone.\n\n\
                Open it:\nhttps://chat.example.org/x/?a=1&b=2\n";
    assert_eq!(mail["text"].as_str().unwrap().trim_end(), text.trim_end());
    let html = mail["html"].as_str().unwrap();
    assert!(html.contains("Hello &lt;ann&gt; 🎉") && html.contains("href=\"https://chat.example.org/x/?a=1&amp;b=2\""));
}

async fn addresses_beyond_ascii() {
    let dir = tempfile::tempdir().expect("a directory");
    let knows = OwnSmtp::start(&dir.path().join("a"), &["--utf8"]);
    let (done, _) = send(&format!("smtp://127.0.0.1:{}", knows.port), "jörg@bücher.example", LIMIT).await;
    done.expect("it is taken");
    assert_eq!(knows.taken(1).await[0]["to"], serde_json::json!(["jörg@xn--bcher-kva.example"]));
    // A host is no difficulty; a name is, where the server knows only ASCII, and will be again.
    let not = OwnSmtp::start(&dir.path().join("b"), &[]);
    let url = format!("smtp://127.0.0.1:{}", not.port);
    send(&url, "ann@bücher.example", LIMIT).await.0.expect("it is taken");
    let (at, why, is_final) = failure(&url, "jörg@example.org").await;
    assert!(at == Stage::Recipient && why.contains("SMTPUTF8") && is_final, "{at} {why}");
}

async fn certificates_are_checked() {
    let dir = tempfile::tempdir().expect("a directory");
    let certificate = Certificate::new(dir.path());
    let ca = certificate.certificate.display();
    let server = OwnSmtp::encrypting(&dir.path().join("mail"), "starttls", &certificate, &[]);
    let port = server.port;
    for url in [
        // Nobody vouches for it.
        format!("smtp://localhost:{port}?tls=required"),
        // It is for another name.
        format!("smtp://127.0.0.1:{port}?tls=required&ca={ca}"),
    ] {
        let (at, why, is_final) = failure(&url, "ann@example.org").await;
        assert!(at == Stage::Encrypting && why.contains("certificate") && !is_final, "{url}: {at} {why}");
    }
    assert_eq!(server.said(), "", "nothing is said to a server that nobody vouches for");
    let (done, steps) = send(&format!("smtp://localhost:{port}?tls=required&ca={ca}"), "ann@example.org", LIMIT).await;
    done.expect("it is taken");
    assert!(steps.contains(&Step::Encrypted(Some("localhost".to_owned()))), "{steps:?}");
    let (done, steps) = send(&format!("smtp://127.0.0.1:{port}"), "ann@example.org", LIMIT).await;
    done.expect("on this machine any certificate will do");
    assert!(steps.contains(&Step::Encrypted(None)), "{steps:?}");
    let (done, steps) = send(&format!("smtp://127.0.0.1:{port}?tls=none"), "ann@example.org", LIMIT).await;
    done.expect("it is taken");
    assert!(steps.contains(&Step::Open), "{steps:?}");
    let encrypted: Vec<_> = server.taken(3).await.iter().map(|mail| mail["encrypted"].as_bool().unwrap()).collect();
    assert_eq!(encrypted, [true, true, false]);
    let missing = mail::open("smtp://localhost?ca=/nowhere.pem", &from(), LIMIT).err().expect("no file");
    assert!(missing.contains("/nowhere.pem"), "{missing}");
    let key = certificate.key.display();
    let none = mail::open(&format!("smtp://localhost?ca={key}"), &from(), LIMIT).err().expect("no certificate");
    assert!(none.contains("no certificate in PEM"), "{none}");
}

/// A server, or somebody between, that offers no STARTTLS gets neither the password nor the mail.
async fn without_encryption_nothing_is_sent() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = OwnSmtp::start(dir.path(), &["--sign-in", "me:secret"]);
    let url = format!("smtp://me:secret@localhost:{}?tls=required", server.port);
    let (at, why, is_final) = failure(&url, "ann@example.org").await;
    assert!(at == Stage::Encrypting && why.contains("STARTTLS") && !is_final, "{at} {why}");
    assert_eq!(server.said(), "");
    let (done, _) = send(&url.replace("required", "none"), "ann@example.org", LIMIT).await;
    done.expect("said on purpose, it is taken");
    assert!(server.said().starts_with("AUTH PLAIN\n"), "the server would have heard it: {}", server.said());
}

/// What came before the encryption is no answer to what is said in it: somebody between could pass for the server, and
/// have mail counted as taken that was not.
async fn nothing_open_is_taken_for_encrypted() {
    let dir = tempfile::tempdir().expect("a directory");
    let certificate = Certificate::new(dir.path());
    let ca = certificate.certificate.display();
    let server = OwnSmtp::encrypting(&dir.path().join("mail"), "starttls", &certificate, &["--inject"]);
    let url = format!("smtp://localhost:{}?tls=required&ca={ca}", server.port);
    let (done, steps) = send(&url, "ann@example.org", LIMIT).await;
    assert_eq!(done.expect_err("the answers are not the server's").at, Stage::Encrypting, "{steps:?}");
    assert_eq!(server.said(), "");
}

async fn encrypted_from_the_first_byte_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let certificate = Certificate::new(dir.path());
    let ca = certificate.certificate.display();
    let server = OwnSmtp::encrypting(&dir.path().join("mail"), "wrapped", &certificate, &["--sign-in", "me:p@ss/w%rd"]);
    let port = server.port;
    let (done, steps) =
        send(&format!("smtps://me:p%40ss%2Fw%25rd@localhost:{port}?ca={ca}"), "ann@example.org", LIMIT).await;
    done.expect("it is taken");
    assert_eq!(steps[..2], [Step::Encrypted(Some("localhost".to_owned())), Step::SignedIn("me".to_owned())]);
    let mail = &server.taken(1).await[0];
    assert_eq!((mail["encrypted"].as_bool(), mail["signed_in"].as_bool()), (Some(true), Some(true)));
    let (at, why, _) = failure(&format!("smtps://localhost:{port}"), "ann@example.org").await;
    assert!(at == Stage::Encrypting && why.contains("certificate"), "{at} {why}");
    // The two ways mixed up.
    let open = OwnSmtp::start(&dir.path().join("open"), &[]);
    let (at, why, _) = failure(&format!("smtps://localhost:{}?ca={ca}", open.port), "ann@example.org").await;
    assert_eq!(at, Stage::Encrypting, "{why}");
    let (done, _) = send(&format!("smtp://localhost:{port}"), "ann@example.org", Duration::from_secs(1)).await;
    assert_eq!(done.expect_err("it waits for TLS").at, Stage::Greeting);
}

async fn signing_in() {
    let dir = tempfile::tempdir().expect("a directory");
    let certificate = Certificate::new(dir.path());
    let ca = certificate.certificate.display();
    let server = OwnSmtp::encrypting(&dir.path().join("mail"), "starttls", &certificate, &["--sign-in", "me:secret"]);
    let url = |who: &str| format!("smtp://{who}localhost:{}?tls=required&ca={ca}", server.port);
    let (at, why, is_final) = failure(&url("me:wrong@"), "ann@example.org").await;
    // It is no fault of the mail's.
    assert!(at == Stage::SigningIn && why.starts_with("535") && !is_final, "{at} {why}");
    let (at, why, is_final) = failure(&url(""), "ann@example.org").await;
    assert!(at == Stage::Sender && why.starts_with("530") && !is_final, "{at} {why}");
    assert!(server.mails().is_empty());
    let (done, steps) = send(&url("me:secret@"), "ann@example.org", LIMIT).await;
    done.expect("it is taken");
    assert!(steps.contains(&Step::SignedIn("me".to_owned())), "{steps:?}");
    assert_eq!(server.taken(1).await[0]["signed_in"], true);
}

async fn refusals_are_told_apart() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = OwnSmtp::start(dir.path(), &[]);
    let url = format!("smtp://localhost:{}", server.port);
    for (answer, at, is_final) in [
        ("MAIL 550 5.7.1 not from you", Stage::Sender, false),
        ("MAIL 451 4.3.0 later", Stage::Sender, false),
        ("RCPT 550 5.1.1 <ANN@example.org>: no such user", Stage::Recipient, true),
        ("RCPT 451 4.3.0 later", Stage::Recipient, false),
        ("DATA 554 5.6.0 not this", Stage::Content, true),
        ("DATA 452 4.3.1 no space", Stage::Content, false),
    ] {
        server.answer(answer);
        let (stage, why, for_good) = failure(&url, "ann@example.org").await;
        assert_eq!((stage, for_good), (at, is_final), "{answer}: {why}");
        assert!(why.starts_with(&answer[5..8]) && !why.to_lowercase().contains("ann@"), "{answer}: {why}");
    }
    assert!(server.mails().is_empty());
    server.answer("");
    send(&url, "ann@example.org", LIMIT).await.0.expect("it is taken");
    server.kill();
    let (at, why, is_final) = failure(&url, "ann@example.org").await;
    assert!(at == Stage::Connecting && why.contains("refused") && !is_final, "{why}");
    let (at, why, _) = failure("smtp://nowhere.invalid?tls=none", "ann@example.org").await;
    assert_eq!(at, Stage::Connecting, "{why}");
    let (at, why, _) = failure(&format!("smtps://localhost:{}", lasting_port()), "ann@example.org").await;
    assert_eq!(at, Stage::Connecting, "{why}");
}

async fn a_silent_server_is_not_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = OwnSmtp::start(dir.path(), &[]);
    let url = format!("smtp://localhost:{}", server.port);
    let limit = Duration::from_millis(700);
    for (answer, at) in [("MAIL hang", Stage::Sender), ("RCPT hang", Stage::Recipient), ("DATA hang", Stage::Content)] {
        server.answer(answer);
        let started = Instant::now();
        let error = send(&url, "ann@example.org", limit).await.0.expect_err("it hangs");
        assert_eq!((error.at, error.is_final), (at, false), "{error}");
        assert!(error.why.contains("no answer") && started.elapsed() < 4 * limit, "{error}");
    }
    // One that does not even greet.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let error = send(&format!("smtp://127.0.0.1:{port}"), "ann@example.org", limit).await.0.expect_err("it hangs");
    assert_eq!(error.at, Stage::Greeting, "{error}");
}

async fn a_directory_takes_everything() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = tempfile::tempdir().expect("a directory");
    let inside = dir.path().join("new/mail");
    let (done, steps) = send(&format!("dir:{}", inside.display()), "ann@example.org", LIMIT).await;
    done.expect("it is written");
    let [Step::Written(path)] = &steps[..] else { panic!("{steps:?}") };
    let text = std::fs::read_to_string(path).expect("a file");
    assert!(path.starts_with(&inside) && text.contains("To: ") && text.contains("multipart/alternative"), "{text}");
    assert_eq!(path.metadata().expect("a file").mode() & 0o077, 0);
    assert_eq!(inside.metadata().expect("a directory").mode() & 0o077, 0);
    let (done, _) = send("dir:/proc/nowhere", "ann@example.org", LIMIT).await;
    let error = done.expect_err("nobody writes there");
    assert_eq!((error.at, error.is_final), (Stage::Writing, false));
}
