//! What accounts need besides signing in.

use chatd::domain::{LinkPurpose, NewLink, Timestamp, User, UserKey};
use chatd::store::{
    Credentials as _, Devices as _, Links as _, Mails as _, QueuedMail, Session, Sessions as _, Standing, StoreError,
    Users as _,
};
use libtest_mimic::Trial;

use super::{NOW, World, later, session};
use crate::support::backend::{ALL, Database, on_each};

macro_rules! on_sql {
    ($($test:ident),* $(,)?) => {
        pub fn trials() -> Vec<Trial> {
            let mut trials = Vec::new();
            $(trials.extend(on_each(&ALL, concat!("store::", stringify!($test)), |backend| async move {
                let database = Database::new(backend).await;
                let store = database.store().await;
                $test(World { store: store.clone(), home: super::Home::Sql(store, database) }).await;
            }));)*
            trials
        }
    };
}

on_sql![
    a_users_sessions_are_listed_used_last_first,
    all_sessions_but_one_end,
    a_use_is_noted_once_in_a_while,
    a_password_is_changed_with_its_sessions_or_not_at_all,
    a_link_has_one_winner_of_a_thousand,
    a_link_and_its_mail_are_stored_together,
    people_are_found_by_their_address,
];

impl World {
    async fn session_at(&self, user: &User, token: &str, used: Timestamp) -> Session {
        let made = Session { last_used_at: used, ..session(user, token) };
        self.store.add_session(&made).await.unwrap();
        made
    }

    async fn tokens(&self, user: &User) -> Vec<String> {
        let sessions = self.sql_home().0.sessions_of(user.id, NOW).await.unwrap();
        sessions.into_iter().map(|session| session.token_hash).collect()
    }
}

async fn a_users_sessions_are_listed_used_last_first(w: World) {
    let (ann, bob) = w.pair().await;
    let store = w.sql_home().0;
    let old = w.session_at(&ann, "a1", NOW).await;
    let new = w.session_at(&ann, "a2", later(10)).await;
    w.session_at(&bob, "b1", later(20)).await;
    assert_eq!(store.sessions_of(ann.id, NOW).await.unwrap(), [new.clone(), old.clone()]);
    assert_eq!(store.sessions_of(ann.id, later(100)).await.unwrap(), [], "expired");
    // From before it was noted: used when it was made.
    w.sql("UPDATE sessions SET last_used_at = 0").await;
    let (found, _) = w.store.session(&old.token_hash, NOW).await.unwrap().unwrap();
    assert_eq!(found.last_used_at, found.created_at);
}

async fn all_sessions_but_one_end(w: World) {
    let (ann, bob) = w.pair().await;
    let store = w.sql_home().0;
    for token in ["a1", "a2", "a3"] {
        w.session_at(&ann, token, NOW).await;
    }
    let other = w.session_at(&bob, "b1", NOW).await;
    let keep = session(&ann, "a2").token_hash;
    store.end_sessions_but(ann.id, &keep).await.unwrap();
    assert_eq!(w.tokens(&ann).await, [keep]);
    store.end_sessions_but(ann.id, "").await.unwrap();
    assert_eq!(w.tokens(&ann).await, [] as [String; 0]);
    assert_eq!(w.tokens(&bob).await, [other.token_hash]);
}

async fn a_use_is_noted_once_in_a_while(w: World) {
    let ann = w.user("ann").await;
    let store = w.sql_home().0;
    // More than one statement holds.
    let sessions: Vec<_> = (0..1100).map(|i| session(&ann, &format!("t{i:04}"))).collect();
    let rows: Vec<_> = sessions
        .iter()
        .map(|s| format!("('{}', {}, {}, {}, '', {})", s.token_hash, ann.id, NOW.0, s.expires_at.0, NOW.0))
        .collect();
    w.sql(&format!(
        "INSERT INTO sessions (token_hash, user_id, created_at, expires_at, user_agent, last_used_at) VALUES {}",
        rows.join(", ")
    ))
    .await;
    let hashes: Vec<_> = sessions.iter().map(|s| s.token_hash.clone()).collect();
    let noted = async |i: usize| store.session(&hashes[i], NOW).await.unwrap().unwrap().0.last_used_at;
    store.note_use(&hashes[..1099], later(1), later(20)).await.unwrap();
    assert_eq!((noted(0).await, noted(1098).await, noted(1099).await), (later(20), later(20), NOW));
    store.note_use(&hashes, later(10), later(30)).await.unwrap();
    assert_eq!((noted(0).await, noted(1099).await), (later(20), later(30)), "used since then, or not");
}

async fn a_password_is_changed_with_its_sessions_or_not_at_all(w: World) {
    let ann = w.user("ann").await;
    let store = w.sql_home().0;
    w.store.set_password_hash(ann.id, "old", None).await.unwrap();
    w.session_at(&ann, "a1", NOW).await;
    let hash = async || store.user_and_hash(&UserKey::new("ann").unwrap()).await.unwrap().unwrap().1;
    let refused = store.change_password("other", "new", &session(&ann, "a2")).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    assert_eq!((hash().await, w.tokens(&ann).await), ("old".to_owned(), vec![session(&ann, "a1").token_hash]));
    store.change_password("old", "new", &session(&ann, "a2")).await.unwrap();
    assert_eq!((hash().await, w.tokens(&ann).await), ("new".to_owned(), vec![session(&ann, "a2").token_hash]));
    // Many at once with the same old password: one of them.
    let ann = &ann;
    let tries = (0..20)
        .map(|i| async move { store.change_password("new", &format!("n{i}"), &session(ann, &format!("x{i}"))).await });
    let done = futures_util::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
    let won = done.iter().position(Result::is_ok).unwrap();
    assert_eq!(
        (hash().await, w.tokens(ann).await),
        (format!("n{won}"), vec![session(ann, &format!("x{won}")).token_hash])
    );
    w.store.set_active(ann.id, false).await.unwrap();
    let refused = store.change_password(&format!("n{won}"), "z", &session(ann, "a9")).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    assert_eq!(hash().await, format!("n{won}"), "and the hash is as it was");
}

fn link(user: Option<i64>, token: &str) -> NewLink {
    NewLink {
        token_hash: chatd::auth::hash_token(token),
        purpose: LinkPurpose::Password,
        user,
        content: vec![0, 255, 1],
        created_at: NOW,
        expires_at: later(100),
    }
}

fn mail() -> QueuedMail {
    QueuedMail {
        purpose: "test".to_owned(),
        recipient: "ann@example.org".to_owned(),
        content: vec![1],
        created_at: NOW,
        expires_at: later(100),
    }
}

async fn a_link_has_one_winner_of_a_thousand(w: World) {
    let ann = w.user("ann").await;
    let store = w.sql_home().0;
    w.store.set_password_hash(ann.id, "old", None).await.unwrap();
    store.add_link(&link(Some(ann.id), "a"), &mail()).await.unwrap();
    store.add_link(&link(Some(ann.id), "b"), &mail()).await.unwrap();
    let was = Standing { user: ann.id, password_hash: "old", email: "" };
    let hash = |token: &str| chatd::auth::hash_token(token);
    let other = Standing { password_hash: "other", ..was };
    let refused = store.reset_password(&hash("a"), &other, "new", NOW).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    let refused = store.change_email(Some(&hash("a")), &was, "a@example.org", None, NOW).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "of another purpose: {refused:?}");
    let refused = store.reset_password(&hash("a"), &was, "new", later(100)).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "expired: {refused:?}");
    assert!(store.link(LinkPurpose::Password, &hash("a"), NOW).await.unwrap().is_some(), "and it is still there");
    w.session_at(&ann, "a1", NOW).await;
    // Both links: whichever wins, the other one is gone with it.
    let (a, b) = (hash("a"), hash("b"));
    let tries = (0..1000).map(|i| {
        let (store, token, new) = (&store, if i % 2 == 0 { &a } else { &b }, format!("n{i}"));
        async move { (store.reset_password(token, &was, &new, NOW).await, new) }
    });
    let mut won = Vec::new();
    for (done, new) in futures_util::future::join_all(tries).await {
        match done {
            Ok(()) => won.push(new),
            // A thousand at once may be more than the pool has patience for: it was not applied.
            Err(StoreError::NotFound | StoreError::Unavailable(_)) => {}
            Err(e) => panic!("{e}"),
        }
    }
    let stored = store.user_and_hash(&UserKey::new("ann").unwrap()).await.unwrap().unwrap().1;
    assert_eq!(won, [stored]);
    assert_eq!(w.tokens(&ann).await, [] as [String; 0]);
    for token in [&a, &b] {
        assert_eq!(store.link(LinkPurpose::Password, token, NOW).await.unwrap(), None);
    }
}

async fn a_link_and_its_mail_are_stored_together(w: World) {
    let ann = w.user("ann").await;
    let store = w.sql_home().0;
    store.add_link(&link(Some(ann.id), "a"), &mail()).await.unwrap();
    let found = store.link(LinkPurpose::Password, &chatd::auth::hash_token("a"), NOW).await.unwrap().unwrap();
    assert_eq!((found.user, found.content), (Some(ann.id), vec![0, 255, 1]));
    assert_eq!(store.mail_queue().await.unwrap().waiting, 1);
    assert!(store.add_link(&link(None, "a"), &mail()).await.is_err(), "the same token");
    assert_eq!(store.mail_queue().await.unwrap().waiting, 1, "and no mail without its link");
    store.add_link(&link(None, "b"), &mail()).await.unwrap();
    store.remove_expired_links(later(99)).await.unwrap();
    assert!(store.link(LinkPurpose::Password, &chatd::auth::hash_token("b"), NOW).await.unwrap().is_some());
    store.remove_expired_links(later(100)).await.unwrap();
    assert_eq!(store.link(LinkPurpose::Password, &chatd::auth::hash_token("b"), NOW).await.unwrap(), None);
}

async fn people_are_found_by_their_address(w: World) {
    let (ann, bob) = w.pair().await;
    let store = w.sql_home().0;
    let found = async |email: &str| {
        let found = store.users_with_email(email).await.unwrap();
        found.into_iter().map(|(user, _)| user.id).collect::<Vec<_>>()
    };
    for user in [&ann, &bob] {
        let was = Standing { user: user.id, password_hash: "!", email: "" };
        store.change_email(None, &was, "Both@Example.org", None, NOW).await.unwrap();
    }
    assert_eq!(found("bOTH@example.ORG").await, [ann.id, bob.id]);
    assert_eq!(found("both@example.orgx").await, [] as [i64; 0]);
    assert_eq!(found("both%").await, [] as [i64; 0]);
    w.store.set_active(ann.id, false).await.unwrap();
    assert_eq!(found("both@example.org").await, [bob.id]);
}
