//! How far messages have reached somebody's devices.

use chatd::domain::{Change, Mark, SharingChange, User};
use libtest_mimic::Trial;

use super::{Home, NOT_IN_MEMORY, NOW, World};
use crate::simulation::memory::MemoryStore;
use crate::support::backend::{ALL, Database, on_each};
use crate::support::trial;

on_every_backend![
    delivered_is_clamped_and_never_falls,
    delivered_again_writes_nothing,
    delivered_tells_the_peer_alone,
    what_is_read_is_delivered,
    notes_to_oneself_are_delivered,
    hidden_reading_is_told_to_nobody_else,
    who_hides_does_not_see,
    what_was_told_before_is_hidden_too,
];

impl World {
    async fn delivered(&self, user: &User, peer: &User, seq: i64) -> Vec<(i64, i64)> {
        let marked = self.store.mark(user.id, peer.id, (Mark::Delivered, seq), NOW).await.unwrap();
        marked.expect("a conversation").1
    }

    /// How far `user` is told that `peer` has come: delivered and read.
    async fn peer_marks(&self, user: &User, peer: &User) -> (i64, i64) {
        let (c, _) = self.store.conversation(user.id, peer.id).await.unwrap().unwrap();
        (c.peer_delivered_seq, c.peer_read_seq)
    }
}

async fn delivered_is_clamped_and_never_falls(w: World) {
    let (ann, bob) = w.pair().await;
    assert_eq!(w.store.mark(bob.id, ann.id, (Mark::Delivered, 1), NOW).await.unwrap(), None);
    for _ in 0..3 {
        w.send(&ann, &bob, "x").await;
    }
    for (seq, expected) in [(2, 2), (1, 2), (-5, 2), (i64::MAX, 3), (0, 3)] {
        w.delivered(&bob, &ann, seq).await;
        assert_eq!(w.peer_marks(&ann, &bob).await, (expected, 0));
    }
    assert_eq!(w.unread(&bob, &ann).await, (3, 0));
    assert_eq!(w.peer_marks(&bob, &ann).await, (0, 0));
}

async fn delivered_again_writes_nothing(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&ann, &bob, "x").await;
    assert_eq!(w.delivered(&bob, &ann, 1).await.len(), 1);
    let head = w.store.head(ann.id).await.unwrap();
    assert_eq!(w.delivered(&bob, &ann, 1).await, []);
    assert_eq!(w.store.head(ann.id).await.unwrap(), head);
}

async fn delivered_tells_the_peer_alone(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&ann, &bob, "x").await;
    let heads = (w.store.head(ann.id).await.unwrap(), w.store.head(bob.id).await.unwrap());
    assert_eq!(w.delivered(&bob, &ann, 1).await, [(ann.id, heads.0.pos + 1)]);
    let told = w.log(&ann, heads.0).await;
    let [Change::Read(state)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((state.peer.as_str(), state.peer_delivered_seq, state.peer_read_seq, state.unread), ("bob", 1, 0, 0));
    assert_eq!(w.store.head(bob.id).await.unwrap(), heads.1);
}

async fn what_is_read_is_delivered(w: World) {
    let (ann, bob) = w.pair().await;
    for _ in 0..3 {
        w.send(&ann, &bob, "x").await;
    }
    w.delivered(&bob, &ann, 1).await;
    w.store.mark(bob.id, ann.id, (Mark::Read, 2), NOW).await.unwrap();
    assert_eq!(w.peer_marks(&ann, &bob).await, (2, 2));
    assert_eq!(w.delivered(&bob, &ann, 2).await, []);
    w.delivered(&bob, &ann, 3).await;
    assert_eq!(w.peer_marks(&ann, &bob).await, (3, 2));
}

async fn notes_to_oneself_are_delivered(w: World) {
    let ann = w.user("ann").await;
    w.send(&ann, &ann, "note").await;
    assert_eq!(w.peer_marks(&ann, &ann).await, (1, 1));
    assert_eq!(w.delivered(&ann, &ann, 1).await, []);
}

impl World {
    async fn share_read(&self, user: &User, shares: bool) {
        let change = SharingChange { read: Some(shares), ..SharingChange::default() };
        self.store.share(user.id, change, NOW).await.unwrap();
    }

    async fn read(&self, user: &User, peer: &User, seq: i64) -> Vec<i64> {
        let marked = self.store.mark(user.id, peer.id, (Mark::Read, seq), NOW).await.unwrap();
        marked.expect("a conversation").1.into_iter().map(|(whose, _)| whose).collect()
    }
}

async fn hidden_reading_is_told_to_nobody_else(w: World) {
    let (ann, bob) = w.pair().await;
    for _ in 0..4 {
        w.send(&ann, &bob, "x").await;
    }
    w.share_read(&bob, false).await;
    w.delivered(&bob, &ann, 2).await;
    let head = w.store.head(ann.id).await.unwrap();
    assert_eq!(w.read(&bob, &ann, 2).await, [bob.id], "nothing of it is news to ann");
    assert_eq!(w.store.head(ann.id).await.unwrap(), head, "not even that something happened");
    assert_eq!(w.peer_marks(&ann, &bob).await, (2, 0));
    assert_eq!(w.unread(&bob, &ann).await, (2, 2), "one's own counts are as they are");
    // What had not reached bob has now, and that is told.
    assert_eq!(w.read(&bob, &ann, 3).await, [ann.id, bob.id]);
    let told = w.log(&ann, head).await;
    let [Change::Read(state)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((state.peer_delivered_seq, state.peer_read_seq), (3, 0));
    // Shared again, it is seen as it is now, and what comes is told.
    w.share_read(&bob, true).await;
    assert_eq!(w.peer_marks(&ann, &bob).await, (3, 3));
    assert_eq!(w.read(&bob, &ann, 4).await, [ann.id, bob.id]);
    assert_eq!(w.peer_marks(&ann, &bob).await, (4, 4));
}

async fn who_hides_does_not_see(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&ann, &bob, "x").await;
    w.send(&bob, &ann, "y").await;
    w.share_read(&ann, false).await;
    w.read(&bob, &ann, 1).await;
    w.read(&ann, &bob, 2).await;
    assert_eq!((w.peer_marks(&ann, &bob).await, w.peer_marks(&bob, &ann).await), ((1, 0), (2, 0)));
    // Of a mark that is moved the answer says no more.
    let marked = w.store.mark(ann.id, bob.id, (Mark::Read, 2), NOW).await.unwrap().unwrap().0;
    assert_eq!((marked.read_seq, marked.peer_read_seq), (2, 0));
    // Notes to oneself are one's own.
    w.send(&ann, &ann, "note").await;
    assert_eq!(w.peer_marks(&ann, &ann).await, (1, 1));
    w.share_read(&ann, true).await;
    assert_eq!((w.peer_marks(&ann, &bob).await, w.peer_marks(&bob, &ann).await), ((1, 1), (2, 2)));
}

async fn what_was_told_before_is_hidden_too(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&ann, &bob, "x").await;
    let head = w.store.head(ann.id).await.unwrap();
    w.read(&bob, &ann, 1).await;
    let seen = async || match w.log(&ann, head).await.as_slice() {
        [Change::Read(state)] => state.peer_read_seq,
        told => panic!("{told:?}"),
    };
    assert_eq!(seen().await, 1);
    w.share_read(&bob, false).await;
    assert_eq!(seen().await, 0, "the log holds what happened, and says what may be seen now");
    assert_eq!(w.peer_marks(&ann, &bob).await, (1, 0));
    w.share_read(&bob, true).await;
    assert_eq!(seen().await, 1);
}
