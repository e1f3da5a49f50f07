//! `chatd mail`, and the settings of mail.

use std::process::{Command, Output};

use libtest_mimic::Trial;

use crate::support::server::binary;
use crate::support::services::lasting_port;
use crate::support::smtp::{Certificate, OwnSmtp};
use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("mail::a_test_says_how_far_it_came", a_test_says_how_far_it_came),
        trial("mail::a_test_says_what_to_do", a_test_says_what_to_do),
        trial("mail::settings_that_cannot_be_used", settings_that_cannot_be_used),
    ]
}

/// Runs `chatd` with these settings of mail; its exit code and what it said.
fn chatd(dir: &std::path::Path, settings: &[(&str, &str)], args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(binary());
    command.current_dir(dir).env_clear().args(args);
    command.env("CHATD_PUBLIC_URL", "http://chat.example");
    for (name, value) in settings {
        command.env(format!("CHATD_{name}"), value);
    }
    let Output { status, stdout, stderr } = tokio::task::block_in_place(|| command.output()).expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status.code().unwrap_or(-1), text(&stdout), text(&stderr))
}

fn test(dir: &std::path::Path, url: &str) -> (i32, String, String) {
    let settings = [("EMAIL_URL", url), ("EMAIL_FROM", "chatd <chatd@example.org>")];
    chatd(dir, &settings, &["mail", "test", "ann@example.org"])
}

async fn a_test_says_how_far_it_came() {
    let dir = tempfile::tempdir().expect("a directory");
    let certificate = Certificate::new(dir.path());
    let ca = certificate.certificate.display();
    let server = OwnSmtp::encrypting(&dir.path().join("mail"), "starttls", &certificate, &["--sign-in", "me:hidden"]);
    let url = format!("smtp://me:hidden@localhost:{}?tls=required&ca={ca}", server.port);
    let (code, out, err) = test(dir.path(), &url);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let lines: Vec<_> = out.lines().collect();
    let expected = [
        "sending through smtp://me:***@localhost",
        "connected to 127.0.0.1:",
        "encrypted (TLS), with a certificate for localhost that is good",
        "signed in as me",
        "the server takes mail for this recipient",
        "the server has taken the mail: 250 OK: number 1",
        "Look into the mailbox",
    ];
    assert_eq!(lines.len(), expected.len(), "{out}");
    assert!(lines.iter().zip(expected).all(|(line, start)| line.starts_with(start)), "{out}");
    let mail = &server.taken(1).await[0];
    assert_eq!(mail["headers"]["Subject"], "A mail from chatd");
    assert!(!dir.path().join("data").exists(), "it needs no database");
}

async fn a_test_says_what_to_do() {
    let dir = tempfile::tempdir().expect("a directory");
    let certificate = Certificate::new(dir.path());
    let ca = certificate.certificate.display();
    let server = OwnSmtp::encrypting(&dir.path().join("mail"), "starttls", &certificate, &["--sign-in", "me:right"]);
    let (port, nobody) = (server.port, lasting_port());
    let open = OwnSmtp::start(&dir.path().join("open"), &[]);
    let tell = |url: &str, code: i32, stage: &str, advice: &str| {
        let (exit, out, err) = test(dir.path(), url);
        let lines: Vec<_> = err.lines().collect();
        assert_eq!((exit, lines.len()), (code, 2), "{url}: {out}{err}");
        assert!(lines[0].contains(stage) && lines[1].contains(advice), "{url}: {err}");
        assert!(!err.contains("hidden") && !out.contains("hidden"), "a password in {err}{out}");
    };
    tell(&format!("smtp://localhost:{nobody}"), 69, "cannot be reached", "nothing listens there");
    tell("smtp://me:hidden@nowhere.invalid", 69, "cannot be reached", "no such host");
    tell(&format!("smtp://localhost:{port}?tls=required"), 1, "cannot be encrypted", "?ca=/path/ca.pem");
    tell(&format!("smtp://localhost:{}?tls=required", open.port), 1, "offers no STARTTLS", "?tls=none");
    tell(&format!("smtps://localhost:{}", open.port), 1, "cannot be encrypted", "write smtp://");
    let signing_in = format!("smtp://me:hidden@localhost:{port}?tls=required&ca={ca}");
    tell(&signing_in, 1, "does not let chatd sign in: 535", "check user and password");
    tell(&format!("smtp://me:hidden@localhost:{}", open.port), 1, "sign in", "offers no sign-in here");
    tell(&format!("smtp://localhost:{port}"), 1, "takes no mail from EMAIL_FROM", "may want a sign-in first");
    open.answer("RCPT 550 5.1.1 no such user");
    tell(&format!("smtp://localhost:{}", open.port), 1, "for this recipient: 550", "check the address");
    open.answer("DATA 554 5.7.1 spam");
    tell(&format!("smtp://localhost:{}", open.port), 1, "does not take this mail: 554", "the server's words");
    tell("dir:/proc/nowhere", 1, "cannot be written", "the path behind dir:");
}

async fn settings_that_cannot_be_used() {
    let dir = tempfile::tempdir().expect("a directory");
    let with = |settings: &[(&str, &str)], args: &[&str]| {
        let (code, out, err) = chatd(dir.path(), settings, args);
        assert!(!err.contains("hidden") && !out.contains("hidden"), "a password in {err}{out}");
        (code, err)
    };
    let from = ("EMAIL_FROM", "chatd@example.org");
    for (settings, why) in [
        (&[("EMAIL_URL", "http://a:hidden@b"), from][..], "EMAIL_URL (environment): must begin with"),
        (&[("EMAIL_URL", "smtp://a:hidden@b:port"), from], "EMAIL_URL (environment): cannot be used"),
        (&[("EMAIL_URL", "smtp://a:hidden@b")], "EMAIL_FROM (default): must be set"),
        (&[("EMAIL_URL", "dir:x"), from, ("PUBLIC_URL", "")], "PUBLIC_URL (environment): must be set beside EMAIL_URL"),
        (&[("EMAIL_FROM", "nobody")], "EMAIL_FROM (environment): must be an address"),
    ] {
        for args in [&["user", "list"][..], &["mail", "test", "ann@example.org"], &["serve", "--port", "0"]] {
            let (code, err) = with(settings, args);
            assert!(code == 78 && err.contains(why), "{args:?}: {code} {err}");
        }
    }
    let (code, err) = with(&[], &["mail", "test", "ann@example.org"]);
    assert!(code == 78 && err.contains("EMAIL_URL is not set"), "{code} {err}");
    let (code, err) = with(&[("EMAIL_URL", "smtp://h?ca=/nowhere.pem"), from], &["mail", "test", "ann@example.org"]);
    assert!(code == 78 && err.contains("/nowhere.pem, which cannot be read"), "{code} {err}");
    let (code, err) = with(&[("EMAIL_URL", "dir:x"), from], &["mail", "test", "ann"]);
    assert!(code == 2 && err.contains("valid email address"), "{code} {err}");
}
