//! The queue and its sender: later, and at least once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chatd::auth::{Outbox, Sender};
use chatd::domain::{Clock, Timestamp};
use chatd::mail::{self, Mailbox};
use chatd::store::{MailQueue, Mails, SqlStore};
use libtest_mimic::Trial;

use super::{address, from, letter};
use crate::support::backend::{BOTH, Backend, Database, on_each};
use crate::support::smtp::OwnSmtp;

pub fn trials() -> Vec<Trial> {
    let mut trials = on_each(&BOTH, "mail::waits_for_its_server", waits_for_its_server);
    trials.extend(on_each(&BOTH, "mail::waits_for_a_busy_server", waits_for_a_busy_server));
    trials.extend(on_each(&BOTH, "mail::is_given_up_when_refused_or_expired", is_given_up_when_refused_or_expired));
    trials.extend(on_each(&BOTH, "mail::another_key_opens_nothing", another_key_opens_nothing));
    trials.extend(on_each(&BOTH, "mail::is_sealed_in_the_database", is_sealed_in_the_database));
    trials.extend(on_each(&BOTH, "mail::senders_share_the_queue", senders_share_the_queue));
    trials.extend(on_each(&BOTH, "mail::is_sent_at_once_where_it_was_queued", is_sent_at_once_where_it_was_queued));
    trials
}

pub const SECRET: &str = "a secret of more than thirty-two characters";
const DAY: Duration = Duration::from_hours(24);

/// A clock that a test moves on.
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A store, a mail server, and one process's part in sending.
struct World {
    database: Database,
    store: Arc<SqlStore>,
    clock: Arc<Hands>,
    server: OwnSmtp,
    outbox: Outbox,
    sender: Sender,
    _dir: tempfile::TempDir,
}

impl World {
    /// The server is not started yet.
    async fn new(backend: Backend) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let database = Database::new(backend).await;
        let store = database.store().await;
        let clock = Arc::new(Hands(AtomicI64::new(1_700_000_000_000_000)));
        let server = OwnSmtp::at(dir.path(), &[]);
        let outbox = Outbox::new(store.clone(), clock.clone(), from(), SECRET);
        let sender = sender(&outbox, &server);
        Self { database, store, clock, server, outbox, sender, _dir: dir }
    }

    async fn queue(&self, to: &str, lasts: Duration) {
        let to = Mailbox::new("", address(to));
        let until = self.clock.now().plus(lasts);
        self.outbox.send("test", &to, &letter("a"), until).await.expect("it is queued");
    }

    fn passes(&self, time: Duration) {
        self.clock.0.store(self.clock.now().plus(time).0, Ordering::SeqCst);
    }

    /// Sees to all that is due now; how many tries that were.
    async fn send_due(&self) -> usize {
        let mut tries = 0;
        while self.sender.send_one().await.expect("the queue can be read") {
            tries += 1;
        }
        tries
    }

    async fn waiting(&self) -> MailQueue {
        self.store.mail_queue().await.expect("the queue can be read")
    }
}

fn sender(outbox: &Outbox, server: &OwnSmtp) -> Sender {
    let url = format!("smtp://localhost:{}", server.port);
    let mailer = mail::open(&url, &from(), Duration::from_secs(10)).expect("a good address");
    Sender { outbox: outbox.clone(), mailer }
}

async fn waits_for_its_server(backend: Backend) {
    let w = World::new(backend).await;
    let queued = w.clock.now();
    w.queue("ann@example.org", DAY).await;
    assert_eq!(w.send_due().await, 1);
    let state = w.waiting().await;
    let (at, why) = state.last_error.expect("it failed");
    assert_eq!((state.waiting, state.oldest, at), (1, Some(queued), queued));
    assert!(why.contains("refused"), "{why}");
    w.server.launch();
    w.passes(Duration::from_secs(44));
    assert_eq!(w.send_due().await, 0, "not before its time");
    w.passes(Duration::from_secs(32));
    assert_eq!(w.send_due().await, 1);
    assert_eq!(w.server.taken(1).await[0]["to"][0], "ann@example.org");
    assert_eq!(w.waiting().await, MailQueue::default());
}

async fn waits_for_a_busy_server(backend: Backend) {
    let w = World::new(backend).await;
    w.server.launch();
    w.server.answer("RCPT 451 4.3.0 <ann@example.org>: later");
    w.queue("ann@example.org", DAY).await;
    // Each wait is twice as long, give or take a quarter.
    for minutes in [1, 2, 4, 8] {
        assert_eq!(w.send_due().await, 1);
        let (_, why) = w.waiting().await.last_error.expect("it failed");
        assert!(why.contains("451") && why.contains("***@example.org") && !why.contains("ann"), "{why}");
        w.passes(Duration::from_secs(minutes * 44));
        assert_eq!(w.send_due().await, 0, "after {minutes} minutes");
        w.passes(Duration::from_secs(minutes * 32));
    }
    w.server.answer("");
    assert_eq!(w.send_due().await, 1);
    w.server.taken(1).await;
    assert_eq!(w.server.said().matches("RCPT").count(), 5);
    assert_eq!(w.waiting().await.waiting, 0);
}

async fn is_given_up_when_refused_or_expired(backend: Backend) {
    let w = World::new(backend).await;
    w.server.launch();
    w.server.answer("RCPT 550 5.1.1 no such user");
    w.queue("nobody@example.org", DAY).await;
    assert_eq!(w.send_due().await, 1);
    assert_eq!(w.waiting().await.waiting, 0, "what is refused for good is not tried again");

    // An hour is over before the next try would be due; so it is not waited for.
    w.server.answer("RCPT 451 later");
    w.queue("ann@example.org", Duration::from_hours(1)).await;
    for wait in [2, 3, 5, 10, 20, 39] {
        assert_eq!((w.send_due().await, w.waiting().await.waiting), (1, i64::from(wait < 39)));
        w.passes(Duration::from_mins(wait));
    }
    // Nobody had time for it before.
    w.server.answer("");
    w.queue("bob@example.org", Duration::from_hours(1)).await;
    w.queue("cat@example.org", 30 * DAY).await;
    w.passes(Duration::from_hours(1));
    assert_eq!(w.send_due().await, 2);
    assert_eq!(w.server.taken(1).await[0]["to"][0], "cat@example.org");
    assert_eq!((w.server.mails().len(), w.waiting().await.waiting), (1, 0));
    // However long it would be good for, it is not tried for longer than three days.
    w.queue("dan@example.org", 30 * DAY).await;
    w.passes(3 * DAY);
    assert_eq!((w.send_due().await, w.server.mails().len(), w.waiting().await.waiting), (1, 1, 0));
}

async fn another_key_opens_nothing(backend: Backend) {
    let w = World::new(backend).await;
    w.server.launch();
    w.queue("ann@example.org", DAY).await;
    let other = Outbox::new(w.store.clone(), w.clock.clone(), from(), &SECRET.replace('a', "b"));
    assert!(sender(&other, &w.server).send_one().await.expect("the queue can be read"));
    let (_, why) = w.waiting().await.last_error.expect("it failed");
    assert!(why.contains("another SECRET_KEY"), "{why}");
    // Whoever writes to the database cannot have a link sent elsewhere.
    crate::support::backend::run(&w.database.url, "UPDATE outgoing_mail SET recipient = 'eve@example.com'").await;
    w.passes(Duration::from_mins(2));
    assert_eq!(w.send_due().await, 1);
    let (_, why) = w.waiting().await.last_error.expect("it failed");
    assert!(why.contains("not what was sealed"), "{why}");
    crate::support::backend::run(&w.database.url, "UPDATE outgoing_mail SET recipient = 'ann@example.org'").await;
    w.passes(Duration::from_mins(4));
    assert_eq!(w.send_due().await, 1, "nothing was lost");
    assert_eq!(w.server.taken(1).await[0]["to"][0], "ann@example.org");
}

async fn is_sealed_in_the_database(backend: Backend) {
    let w = World::new(backend).await;
    let to = Mailbox::new("", address("ann@example.org"));
    let made = w.outbox.make("test", &to, &letter("a"), w.clock.now().plus(DAY));
    let shows = |part: &[u8]| made.content.windows(part.len()).any(|window| window == part);
    assert!(made.content.len() > 800 && !shows(b"chat.example.org") && !shows(b"Subject") && !shows(b"base64"));
    // A letter as long as any.
    let long = mail_of(60_000);
    w.outbox.send("test", &to, &long, w.clock.now().plus(DAY)).await.expect("it is queued");
    w.server.launch();
    assert_eq!(w.send_due().await, 1);
    assert!(w.server.taken(1).await[0]["text"].as_str().unwrap().trim_end().chars().eq("ü".repeat(60_000).chars()));
}

fn mail_of(characters: usize) -> mail::Letter {
    mail::Letter::new("long").paragraph(&"ü".repeat(characters))
}

async fn senders_share_the_queue(backend: Backend) {
    const MAILS: usize = 40;
    let w = World::new(backend).await;
    w.server.launch();
    for number in 0..MAILS {
        w.queue(&format!("u{number}@example.org"), DAY).await;
    }
    // Three processes, of which one has never queued anything.
    let mut others = Vec::new();
    for _ in 0..2 {
        let outbox = Outbox::new(w.database.store().await, w.clock.clone(), from(), SECRET);
        others.push(sender(&outbox, &w.server).start());
    }
    let own = w.sender.clone().start();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for mail in w.server.taken(MAILS).await {
        *times.entry(mail["to"][0].as_str().expect("a recipient").to_owned()).or_default() += 1;
    }
    for sending in others.into_iter().chain([own]) {
        sending.stop(Duration::from_secs(5)).await;
    }
    assert_eq!((times.len(), w.server.mails().len()), (MAILS, MAILS), "each once: {times:?}");
    assert_eq!(w.waiting().await.waiting, 0);
}

async fn is_sent_at_once_where_it_was_queued(backend: Backend) {
    let w = World::new(backend).await;
    w.server.launch();
    let sending = w.sender.clone().start();
    // Both have looked, and rest.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let started = Instant::now();
    w.queue("ann@example.org", DAY).await;
    w.server.taken(1).await;
    assert!(started.elapsed() < Duration::from_secs(3), "it waited for {:?}", started.elapsed());
    // At most two at once; stopped, it takes no more, and does not wait for long.
    w.server.answer("DATA hang");
    for number in 0..4 {
        w.queue(&format!("u{number}@example.org"), DAY).await;
    }
    w.server.hears("DATA u1@").await;
    let started = Instant::now();
    sending.stop(Duration::from_millis(300)).await;
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(!w.server.said().contains("RCPT u2@"), "{}", w.server.said());
    assert_eq!(w.waiting().await.waiting, 4, "nothing is lost");
}
