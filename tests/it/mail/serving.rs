//! `chatd serve` sends what waits: also what a process had in hand when it died.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatd::auth::Outbox;
use chatd::domain::{Clock as _, SystemClock};
use chatd::mail::Mailbox;
use chatd::store::{Mails, SqlStore};
use libtest_mimic::Trial;

use super::queue::SECRET;
use super::{address, from, letter};
use crate::support::backend::{BOTH, Backend, Database, on_each, run};
use crate::support::server::Server;
use crate::support::smtp::OwnSmtp;
use crate::support::until;

pub fn trials() -> Vec<Trial> {
    let mut trials = on_each(&BOTH, "mail::killed_in_the_middle", killed_in_the_middle);
    trials.extend(on_each(&BOTH, "mail::the_end_does_not_wait_for_mail", the_end_does_not_wait_for_mail));
    trials
}

struct World {
    database: Database,
    store: Arc<SqlStore>,
    outbox: Outbox,
    mail: OwnSmtp,
    dir: tempfile::TempDir,
}

impl World {
    async fn new(backend: Backend) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let database = Database::new(backend).await;
        let store = database.store().await;
        let outbox = Outbox::new(store.clone(), Arc::new(SystemClock), from(), SECRET);
        let mail = OwnSmtp::start(&dir.path().join("mail"), &[]);
        Self { database, store, outbox, mail, dir }
    }

    fn serve(&self) -> Server {
        let url = format!("smtp://localhost:{}", self.mail.port);
        let settings = [
            ("EMAIL_URL", url.as_str()),
            ("EMAIL_FROM", "chatd@example.org"),
            ("PUBLIC_URL", "http://chat.example"),
            ("SECRET_KEY", SECRET),
            ("DRAIN_SECONDS", "0"),
        ];
        Server::start(&self.database, self.dir.path(), &settings)
    }

    /// As another process queues it.
    async fn queue(&self, to: &str) {
        let until = SystemClock.now().plus(Duration::from_hours(1));
        let to = Mailbox::new("", address(to));
        self.outbox.send("test", &to, &letter("a"), until).await.expect("it is queued");
    }

    async fn waiting(&self) -> i64 {
        self.store.mail_queue().await.expect("the queue can be read").waiting
    }
}

/// SIGKILL between taking a mail and noting that it was sent: it is sent again after the time its sender had for it, and
/// not before.
async fn killed_in_the_middle(backend: Backend) {
    let w = World::new(backend).await;
    w.mail.answer("DATA hang");
    w.queue("ann@example.org").await;
    let server = w.serve();
    w.mail.hears("DATA ann@example.org").await;
    server.kill();
    w.mail.answer("");
    w.queue("bob@example.org").await;
    let server = w.serve();
    assert_eq!(w.mail.taken(1).await[0]["to"][0], "bob@example.org");
    // The queue is looked at once more.
    w.queue("cat@example.org").await;
    assert_eq!(w.mail.taken(2).await[1]["to"][0], "cat@example.org");
    until("the sender to note it", Duration::from_secs(10), || async { (w.waiting().await == 1).then_some(()) }).await;
    assert_eq!(w.mail.said().matches("RCPT ann@").count(), 1, "{}", w.mail.said());
    // Five minutes pass.
    run(&w.database.url, "UPDATE outgoing_mail SET due_at = due_at - 300000000").await;
    assert_eq!(w.mail.taken(3).await[2]["to"][0], "ann@example.org");
    until("the sender to note it", Duration::from_secs(10), || async { (w.waiting().await == 0).then_some(()) }).await;
    assert_eq!(w.mail.mails().len(), 3);
    let log = server.log();
    assert!(log.contains("mail sent") && log.contains("example.org") && !log.contains("ann@"), "{log}");
}

async fn the_end_does_not_wait_for_mail(backend: Backend) {
    let w = World::new(backend).await;
    w.mail.answer("DATA hang");
    w.queue("ann@example.org").await;
    let server = w.serve();
    w.mail.hears("DATA ann@example.org").await;
    let started = Instant::now();
    server.signal("TERM");
    assert_eq!(server.ended().await, 0);
    assert!(started.elapsed() < Duration::from_secs(10), "it took {:?}", started.elapsed());
    assert_eq!(w.waiting().await, 1);
    let sees = |args: &[&str]| {
        let mut command = crate::support::server::command(&w.database, w.dir.path(), &[]);
        let done: std::process::Output = Command::stdout(command.args(args), Stdio::piped()).output().expect("it runs");
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let text = sees(&["mail", "queue"]);
    assert!(text.starts_with("mails that wait: 1, the oldest since 20"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&sees(&["mail", "queue", "--json"])).expect("JSON");
    assert_eq!((json["waiting"].as_i64(), json["last_error"].is_null()), (Some(1), true), "{json}");
}
