//! Edits, deletions and replies.

use chatd::domain::{Body, Change, Edit, Message, NewMessage, Position, Slice, User};
use chatd::store::{Rule, StoreError};
use libtest_mimic::Trial;

use super::{Home, NOT_IN_MEMORY, NOW, World, later, new_message};
use crate::simulation::memory::MemoryStore;
use crate::support::backend::{ALL, Database, on_each};
use crate::support::trial;

on_every_backend![
    an_edit_is_a_new_version_of_the_message,
    an_edit_is_told_to_both,
    an_edit_that_changes_nothing_writes_nothing,
    edits_at_once_are_each_a_version,
    a_deleted_message_keeps_its_place,
    a_deleted_message_stays_deleted,
    a_repeated_send_shows_the_message_as_it_is,
    a_message_is_changed_by_its_sender_alone,
    a_reply_names_what_it_answers,
    a_key_with_another_reply_is_a_conflict,
];

fn body(text: &str) -> Edit {
    Edit::Body(Body::new(text, 1000).unwrap())
}

impl World {
    async fn change(&self, sender: &User, message: &Message, edit: Edit) -> (Message, Vec<(i64, i64)>) {
        let changed = self.store.change(sender.id, message.id, &edit, later(60)).await.unwrap().expect("their message");
        (changed.message, changed.reached)
    }

    async fn heads(&self, users: &[&User]) -> Vec<Position> {
        let mut heads = Vec::new();
        for user in users {
            heads.push(self.store.head(user.id).await.unwrap());
        }
        heads
    }
}

async fn an_edit_is_a_new_version_of_the_message(w: World) {
    let (ann, bob) = w.pair().await;
    let sent = w.send(&ann, &bob, "helo").await.message;
    let (edited, _) = w.change(&ann, &sent, body("hello")).await;
    let expected = Message { body: "hello".to_owned(), version: 2, edited_at: Some(later(60)), ..sent.clone() };
    assert_eq!(edited, expected);
    assert_eq!(w.store.message(bob.id, sent.id).await.unwrap(), Some(expected.clone()));
    assert_eq!(w.store.slice(sent.conversation, Slice::Before(9), 9).await.unwrap(), std::slice::from_ref(&expected));
    let (listed, _) = w.store.conversation(bob.id, ann.id).await.unwrap().unwrap();
    assert_eq!(listed.last_message, Some(expected));
    // It is no activity, and nothing that was read is unread again.
    assert_eq!((listed.unread, listed.last_activity), (1, sent.timestamp));
}

async fn an_edit_is_told_to_both(w: World) {
    let (ann, bob) = w.pair().await;
    let sent = w.send(&ann, &bob, "helo").await.message;
    let heads = w.heads(&[&ann, &bob]).await;
    let (edited, mut reached) = w.change(&ann, &sent, body("hello")).await;
    reached.sort_unstable();
    assert_eq!(reached, [(ann.id, heads[0].pos + 1), (bob.id, heads[1].pos + 1)]);
    let (deleted, _) = w.change(&ann, &sent, Edit::Delete).await;
    for (user, head) in [(&ann, heads[0]), (&bob, heads[1])] {
        // Told as it is now: the edit shows a message that has been deleted since.
        let told = w.log(user, head).await;
        assert_eq!(told, [Change::MessageEdited(deleted.clone()), Change::MessageDeleted(deleted.clone())]);
    }
    assert_eq!((edited.version, deleted.version), (2, 3));
}

async fn an_edit_that_changes_nothing_writes_nothing(w: World) {
    let (ann, bob) = w.pair().await;
    let sent = w.send(&ann, &bob, "hello").await.message;
    let (deleted, _) = w.change(&bob, &w.send(&bob, &ann, "x").await.message, Edit::Delete).await;
    let heads = w.heads(&[&ann, &bob]).await;
    assert_eq!(w.change(&ann, &sent, body("hello")).await, (sent, Vec::new()));
    assert_eq!(w.change(&bob, &deleted.clone(), Edit::Delete).await, (deleted, Vec::new()));
    assert_eq!(w.heads(&[&ann, &bob]).await, heads);
}

async fn edits_at_once_are_each_a_version(w: World) {
    let (ann, bob) = w.pair().await;
    let sent = w.send(&ann, &bob, "0").await.message;
    let head = w.store.head(bob.id).await.unwrap();
    let stores = [w.store.clone(), w.another_store().await];
    let edits = (1..=12).map(|n: usize| {
        let (store, sender, id) = (stores[n % 2].clone(), ann.id, sent.id);
        async move { store.change(sender, id, &body(&n.to_string()), NOW).await.unwrap().unwrap().message }
    });
    let edited = futures_util::future::join_all(edits).await;
    let mut versions: Vec<_> = edited.iter().map(|message| message.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..=13).collect::<Vec<_>>());
    let newest = edited.into_iter().max_by_key(|message| message.version).unwrap();
    assert_eq!(w.store.message(bob.id, sent.id).await.unwrap(), Some(newest.clone()));
    assert_eq!(w.log(&bob, head).await, vec![Change::MessageEdited(newest); 12]);
}

async fn a_deleted_message_keeps_its_place(w: World) {
    let (ann, bob) = w.pair().await;
    let mut sent = Vec::new();
    for text in ["one", "two", "three"] {
        sent.push(w.send(&ann, &bob, text).await.message);
    }
    w.change(&ann, &sent[1], Edit::Delete).await;
    w.change(&ann, &sent[2], Edit::Delete).await;
    let held = w.store.slice(sent[0].conversation, Slice::After(0), 9).await.unwrap();
    let held: Vec<_> = held.iter().map(|m| (m.seq, m.body.as_str(), m.version, m.deleted_at)).collect();
    assert_eq!(held, [(3, "", 2, Some(later(60))), (2, "", 2, Some(later(60))), (1, "one", 1, None)]);
    assert_eq!(w.unread(&bob, &ann).await, (3, 0));
    assert_eq!(w.store.count_messages(bob.id).await.unwrap(), 3);
    let (listed, _) = w.store.conversation(bob.id, ann.id).await.unwrap().unwrap();
    assert_eq!(listed.last_message.map(|m| (m.seq, m.body)), Some((3, String::new())));
    assert_eq!(w.send(&bob, &ann, "four").await.message.seq, 4);
}

async fn a_deleted_message_stays_deleted(w: World) {
    let (ann, bob) = w.pair().await;
    let sent = w.send(&ann, &bob, "x").await.message;
    let (deleted, _) = w.change(&ann, &sent, Edit::Delete).await;
    assert_eq!(w.change(&ann, &sent, body("back")).await, (deleted.clone(), Vec::new()));
    assert_eq!(w.store.message(ann.id, sent.id).await.unwrap(), Some(deleted));
}

async fn a_repeated_send_shows_the_message_as_it_is(w: World) {
    let (ann, bob) = w.pair().await;
    let new = new_message(&ann, &bob, "helo", "k");
    let sent = w.store.send(new.clone()).await.unwrap().message;
    let (edited, _) = w.change(&ann, &sent, body("hello")).await;
    let again = w.store.send(new.clone()).await.unwrap();
    assert_eq!((again.message, again.created), (edited, false));
    let (deleted, _) = w.change(&ann, &sent, Edit::Delete).await;
    let again = w.store.send(new).await.unwrap();
    assert_eq!((again.message, again.created), (deleted, false));
    // What was edited in is not what the key stands for.
    let other = w.store.send(new_message(&ann, &bob, "hello", "k")).await;
    assert!(matches!(other, Err(StoreError::Conflict(Rule::ClientId))), "{other:?}");
}

async fn a_message_is_changed_by_its_sender_alone(w: World) {
    let (ann, bob) = w.pair().await;
    let carol = w.user("carol").await;
    let sent = w.send(&ann, &bob, "mine").await.message;
    for stranger in [&bob, &carol] {
        for edit in [body("yours"), Edit::Delete] {
            assert_eq!(w.store.change(stranger.id, sent.id, &edit, NOW).await.unwrap(), None);
        }
    }
    assert_eq!(w.store.change(ann.id, sent.id + 1000, &Edit::Delete, NOW).await.unwrap(), None);
    assert_eq!(w.store.message(ann.id, sent.id).await.unwrap(), Some(sent));
}

async fn a_reply_names_what_it_answers(w: World) {
    let (ann, bob) = w.pair().await;
    let head = w.store.head(bob.id).await.unwrap();
    let first = w.send(&ann, &bob, "question").await.message;
    let reply = NewMessage { reply_to: Some(first.seq), ..new_message(&bob, &ann, "answer", "r") };
    let reply = w.store.send(reply).await.unwrap().message;
    assert_eq!((first.reply_to, reply.reply_to), (None, Some(1)));
    assert_eq!(w.store.message(ann.id, reply.id).await.unwrap(), Some(reply.clone()));
    let told = w.log(&bob, head).await;
    assert_eq!(told[1], Change::MessageCreated { message: reply, unread: None, request: false });
}

async fn a_key_with_another_reply_is_a_conflict(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&bob, &ann, "one").await;
    w.send(&bob, &ann, "two").await;
    let reply = |to| NewMessage { reply_to: to, ..new_message(&ann, &bob, "yes", "k") };
    let sent = w.store.send(reply(Some(1))).await.unwrap();
    assert!(!w.store.send(reply(Some(1))).await.unwrap().created);
    for other in [Some(2), None] {
        let again = w.store.send(reply(other)).await;
        assert!(matches!(again, Err(StoreError::Conflict(Rule::ClientId))), "{again:?}");
    }
    assert_eq!(sent.message.reply_to, Some(1));
}
