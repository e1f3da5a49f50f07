//! What users arrange for themselves.

use chatd::domain::{
    Change, ConversationSettings, ConversationSettingsChange, Mark, Muting, NewMessage, Sharing, SharingChange, User,
};
use chatd::store::{StoreError, Which};
use libtest_mimic::Trial;

use super::{Home, NOT_IN_MEMORY, NOW, World, later, new_message};
use crate::simulation::memory::MemoryStore;
use crate::support::backend::{ALL, Database, on_each};
use crate::support::trial;

on_every_backend![
    a_conversation_is_arranged_for_one_alone,
    arranging_the_same_writes_nothing,
    a_new_message_brings_back_what_was_put_aside,
    pinned_conversations_are_listed_by_themselves,
    sharing_is_told_to_ones_own_devices,
    sharing_the_same_writes_nothing,
];

fn change(pinned: Option<bool>, archived: Option<bool>) -> ConversationSettingsChange {
    ConversationSettingsChange { pinned, archived, ..ConversationSettingsChange::default() }
}

impl World {
    async fn settings(&self, user: &User, peer: &User) -> ConversationSettings {
        self.store.conversation(user.id, peer.id).await.unwrap().unwrap().0.settings
    }

    async fn arrange(
        &self,
        user: &User,
        peer: &User,
        change: ConversationSettingsChange,
    ) -> (ConversationSettings, Vec<(i64, i64)>) {
        self.store.arrange(user.id, peer.id, &change, NOW).await.unwrap().expect("a conversation")
    }
}

async fn a_conversation_is_arranged_for_one_alone(w: World) {
    let (ann, bob) = w.pair().await;
    let change = ConversationSettingsChange {
        muting: Some(Muting::Until(later(3600))),
        pinned: Some(true),
        archived: Some(true),
    };
    assert_eq!(w.store.arrange(ann.id, bob.id, &change, NOW).await.unwrap(), None);
    let conversation = w.send(&bob, &ann, "x").await.message.conversation;
    let plain = |peer: &User| ConversationSettings {
        conversation,
        peer: peer.username.clone(),
        muted_until: None,
        pinned: false,
        archived: false,
        request: false,
    };
    assert_eq!(w.settings(&ann, &bob).await, plain(&bob));
    let heads = (w.store.head(ann.id).await.unwrap(), w.store.head(bob.id).await.unwrap());
    let (settings, reached) = w.arrange(&ann, &bob, change).await;
    let expected = ConversationSettings { muted_until: Some(later(3600)), pinned: true, archived: true, ..plain(&bob) };
    assert_eq!((&settings, reached), (&expected, vec![(ann.id, heads.0.pos + 1)]));
    assert_eq!(w.settings(&ann, &bob).await, expected);
    assert_eq!(w.log(&ann, heads.0).await, [Change::Conversation(expected)]);
    assert_eq!(w.settings(&bob, &ann).await, plain(&ann));
    assert_eq!(w.store.head(bob.id).await.unwrap(), heads.1);
    // Each is taken back by itself.
    let unmute = ConversationSettingsChange { muting: Some(Muting::Off), ..ConversationSettingsChange::default() };
    let (settings, _) = w.arrange(&ann, &bob, unmute).await;
    assert_eq!(settings, ConversationSettings { pinned: true, archived: true, ..plain(&bob) });
    w.arrange(&ann, &bob, self::change(Some(false), Some(false))).await;
    assert_eq!(w.settings(&ann, &bob).await, plain(&bob));
}

async fn arranging_the_same_writes_nothing(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&bob, &ann, "x").await;
    w.arrange(&ann, &bob, change(Some(true), Some(true))).await;
    let head = w.store.head(ann.id).await.unwrap();
    for same in [change(Some(true), None), change(None, Some(true)), change(None, None)] {
        assert_eq!(w.arrange(&ann, &bob, same).await.1, []);
    }
    assert_eq!(w.store.head(ann.id).await.unwrap(), head);
}

/// Also one that comes from a process whose clock is behind.
async fn a_new_message_brings_back_what_was_put_aside(w: World) {
    let (ann, bob) = w.pair().await;
    let late = NewMessage { now: later(9), ..new_message(&bob, &ann, "x", "late") };
    w.store.send(late).await.unwrap();
    for (from, to) in [(&bob, &ann), (&ann, &bob)] {
        assert!(w.arrange(&ann, &bob, change(None, Some(true))).await.0.archived);
        w.store.mark(ann.id, bob.id, (Mark::Read, 9), NOW).await.unwrap();
        assert!(w.settings(&ann, &bob).await.archived, "reading is no activity");
        w.send(from, to, "y").await;
        assert!(!w.settings(&ann, &bob).await.archived);
    }
    assert!(w.arrange(&ann, &bob, change(None, Some(true))).await.0.archived, "it can be put aside again");
}

async fn pinned_conversations_are_listed_by_themselves(w: World) {
    let ann = w.user("ann").await;
    let mut peers = Vec::new();
    for name in ["bob", "carol", "dave", "erin"] {
        let peer = w.user(name).await;
        w.send(&peer, &ann, "x").await;
        peers.push(peer);
    }
    for peer in [&peers[0], &peers[2]] {
        w.arrange(&ann, peer, change(Some(true), None)).await;
    }
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let page = w.store.conversations(ann.id, Which::Pinned, after, 1).await.unwrap();
        names.extend(page.conversations.into_iter().map(|c| c.peer));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    names.sort_unstable();
    assert_eq!(names, ["bob", "dave"]);
    let all = w.store.conversations(ann.id, Which::All, None, 10).await.unwrap().conversations;
    assert_eq!(all.iter().filter(|c| c.settings.pinned).count(), 2);
    assert_eq!(all.len(), 4);
}

async fn sharing_is_told_to_ones_own_devices(w: World) {
    let (ann, bob) = w.pair().await;
    assert_eq!(ann.sharing, Sharing::default());
    let heads = (w.store.head(ann.id).await.unwrap(), w.store.head(bob.id).await.unwrap());
    let hide = SharingChange { typing: Some(false), ..SharingChange::default() };
    let (sharing, reached) = w.store.share(ann.id, hide, NOW).await.unwrap();
    let expected = Sharing { typing: false, ..Sharing::default() };
    assert_eq!((sharing, reached), (expected, vec![(ann.id, heads.0.pos + 1)]));
    assert_eq!(w.store.user(ann.id).await.unwrap().unwrap().sharing, expected);
    assert_eq!(w.log(&ann, heads.0).await, [Change::Sharing(expected)]);
    assert_eq!(w.store.head(bob.id).await.unwrap(), heads.1);
    assert_eq!(w.store.user(bob.id).await.unwrap().unwrap().sharing, Sharing::default());
}

async fn sharing_the_same_writes_nothing(w: World) {
    let ann = w.user("ann").await;
    let head = w.store.head(ann.id).await.unwrap();
    let same = SharingChange { typing: Some(true), presence: Some(true), ..SharingChange::default() };
    assert_eq!(w.store.share(ann.id, same, NOW).await.unwrap(), (Sharing::default(), Vec::new()));
    assert_eq!(w.store.head(ann.id).await.unwrap(), head);
    let nobody = w.store.share(ann.id + 1000, same, NOW).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)), "{nobody:?}");
}
