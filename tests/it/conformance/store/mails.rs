//! The queue of outgoing mail.

use std::sync::Arc;
use std::time::Duration;

use chatd::store::{ClaimedMail, MailQueue, Mails, QueuedMail, SqlStore};
use libtest_mimic::Trial;

use super::{Home, NOT_IN_MEMORY, NOW, World, later};
use crate::simulation::memory::MemoryStore;
use crate::support::backend::{ALL, Database, on_each};
use crate::support::trial;

on_every_backend![
    mail_comes_back_as_it_was_queued,
    mail_is_due_in_its_order,
    one_sender_has_a_mail,
    a_mail_comes_back_when_its_sender_is_gone,
    postponed_mail_waits,
    a_clock_that_was_ahead_holds_no_mail,
    what_waits_is_counted,
];

fn mail(to: &str, created: u64) -> QueuedMail {
    QueuedMail {
        purpose: "password-reset".to_owned(),
        recipient: format!("{to}@example.org"),
        content: vec![0, 255, 10],
        created_at: later(created),
        expires_at: later(created + 3600),
    }
}

impl World {
    async fn queue(&self, to: &str, created: u64) {
        self.sql_home().0.queue_mail(&mail(to, created)).await.unwrap();
    }

    /// Takes a mail at a time, for a minute.
    async fn claim(&self, at: u64) -> Option<ClaimedMail> {
        self.sql_home().0.claim_mail(later(at), later(at + 60)).await.unwrap()
    }

    /// Whose mail is taken at a time.
    async fn claimed(&self, at: u64) -> Option<String> {
        self.claim(at).await.map(|mail| mail.recipient.trim_end_matches("@example.org").to_owned())
    }
}

async fn mail_comes_back_as_it_was_queued(w: World) {
    let content: Vec<u8> = (0..200_000u32).map(|i| (i * 7) as u8).collect();
    let queued = QueuedMail { recipient: "jörg@example.org".to_owned(), content, ..mail("", 5) };
    w.sql_home().0.queue_mail(&queued).await.unwrap();
    assert!(w.claim(4).await.is_none(), "not before it was queued");
    let claimed = w.claim(5).await.expect("it is due");
    assert_eq!((claimed.purpose, claimed.recipient), (queued.purpose, queued.recipient));
    assert!(claimed.content == queued.content && claimed.expires_at == queued.expires_at && claimed.tries == 1);
    w.sql_home().0.remove_mail(claimed.id).await.unwrap();
    w.sql_home().0.remove_mail(claimed.id).await.unwrap();
    assert!(w.claim(100_000).await.is_none());
}

async fn mail_is_due_in_its_order(w: World) {
    for (to, created) in [("c", 30), ("a", 10), ("b", 20)] {
        w.queue(to, created).await;
    }
    let mut taken = Vec::new();
    while let Some(to) = w.claimed(25).await {
        taken.push(to);
    }
    assert_eq!(taken, ["a", "b"]);
    assert_eq!(w.claimed(30).await.as_deref(), Some("c"));
    // What has expired is handed out too: whoever sees to it knows.
    w.queue("d", 40).await;
    assert_eq!(w.claimed(3640).await.as_deref(), Some("d"));
    assert_eq!(w.claimed(3640).await.as_deref(), Some("a"), "taken first, it is due again first");
}

/// However many reach for it, in one process or in several.
async fn one_sender_has_a_mail(w: World) {
    let (own, database) = w.sql_home();
    let stores: Vec<Arc<SqlStore>> = [database.store().await, database.store().await].into();
    for round in 0..20 {
        for number in 0..3 {
            own.queue_mail(&mail(&format!("{round}-{number}"), round)).await.unwrap();
        }
        let tries = (0..8).map(|number| {
            let store = stores[number % 2].clone();
            tokio::spawn(async move { store.claim_mail(later(round), later(50_000)).await.unwrap() })
        });
        let mut taken = Vec::new();
        for attempt in tries.collect::<Vec<_>>() {
            taken.extend(attempt.await.unwrap().map(|mail| mail.recipient));
        }
        // Whoever lost every race has nothing; what is left is due still.
        while let Some(mail) = own.claim_mail(later(round), later(50_000)).await.unwrap() {
            taken.push(mail.recipient);
        }
        taken.sort();
        assert_eq!(taken, [0, 1, 2].map(|number| format!("{round}-{number}@example.org")));
    }
}

async fn a_mail_comes_back_when_its_sender_is_gone(w: World) {
    w.queue("ann", 0).await;
    let lost = w.claim(0).await.expect("it is due");
    assert!(w.claim(59).await.is_none(), "somebody has it");
    let again = w.claim(60).await.expect("its time is over");
    assert_eq!((again.id, again.tries), (lost.id, 2));
    // The first one was not gone, only slow: what it says of its failure changes nothing.
    w.sql_home().0.postpone_mail(&lost, later(61), "late").await.unwrap();
    assert!(w.claim(119).await.is_none(), "the second one has it");
    assert_eq!(w.sql_home().0.mail_queue().await.unwrap().last_error, None);
    // That it was sent, however, is the end of it.
    w.sql_home().0.remove_mail(lost.id).await.unwrap();
    assert!(w.claim(1000).await.is_none());
}

async fn postponed_mail_waits(w: World) {
    w.queue("ann", 0).await;
    let mail = w.claim(0).await.expect("it is due");
    w.sql_home().0.postpone_mail(&mail, later(30), &"ü".repeat(1000)).await.unwrap();
    let (at, why) = w.sql_home().0.mail_queue().await.unwrap().last_error.expect("it failed");
    assert_eq!((at, why), (NOW, "ü".repeat(400)));
    assert!(w.claim(29).await.is_none());
    assert_eq!(w.claim(30).await.expect("it is due").tries, 2);
}

async fn a_clock_that_was_ahead_holds_no_mail(w: World) {
    const YEAR: u64 = 365 * 24 * 3600;
    w.queue("ann", YEAR).await;
    w.queue("bob", 3600).await;
    assert_eq!(w.claimed(0).await.as_deref(), Some("ann"), "queued in a year that is none");
    assert_eq!(w.claimed(0).await, None, "taken, it is somebody's; and an hour is no year");
    let ahead = w.sql_home().0.claim_mail(later(YEAR), later(YEAR + 60)).await.unwrap().expect("it is due");
    assert_eq!(w.claim(61).await.expect("it is due").id, ahead.id);
}

async fn what_waits_is_counted(w: World) {
    let state = async || w.sql_home().0.mail_queue().await.unwrap();
    assert_eq!(state().await, MailQueue::default());
    for (to, created) in [("a", 10), ("b", 5), ("c", 7)] {
        w.queue(to, created).await;
    }
    assert_eq!(state().await, MailQueue { waiting: 3, oldest: Some(later(5)), last_error: None });
    for (at, why) in [(10, "first"), (11, "second")] {
        let mail = w.claim(at).await.expect("it is due");
        w.sql_home().0.postpone_mail(&mail, later(1000).plus(Duration::from_secs(at)), why).await.unwrap();
    }
    let (counted, error) = (state().await, Some((later(11), "second".to_owned())));
    assert_eq!((counted.waiting, counted.oldest, counted.last_error), (3, Some(later(5)), error));
}
