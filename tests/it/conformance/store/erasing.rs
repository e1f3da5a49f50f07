//! The end of an account.

use chatd::domain::{InvalidUsername, NamePrefix, NewInvite, NewUser, Sharing, Slice, UserKey, Username};
use chatd::store::{
    Credentials as _, Devices as _, Erasing as _, Invites as _, Rule, Sessions as _, SignUps as _, StoreError,
    Users as _,
};
use libtest_mimic::Trial;

use super::{NOW, World, attempt, later, new_message, new_user, session};
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
    who_is_erased_is_a_row_without_a_person,
    what_others_have_of_the_erased_stays,
    an_erased_user_does_not_come_back,
    nobody_is_signed_in_beside_an_erasure,
    the_last_superuser_stays,
    a_name_that_was_kept_free_too_late_is_no_trouble,
];

fn key(name: &str) -> UserKey {
    UserKey::new(name).unwrap()
}

async fn who_is_erased_is_a_row_without_a_person(w: World) {
    let (ann, bob) = w.pair().await;
    let store = w.sql_home().0;
    w.sql("UPDATE users SET email = 'ann@example.org', last_login = 5, is_staff = 1 WHERE username = 'ann'").await;
    w.store.add_session(&session(&ann, "a")).await.unwrap();
    let invite = NewInvite {
        token_hash: "t".repeat(64),
        made_by: Some(ann.id),
        note: "for my brother".to_owned(),
        created_at: NOW,
        expires_at: later(1000),
        most_uses: 1,
    };
    let invite = store.add_invite(&invite).await.unwrap();
    let refused = store.erase(ann.id, Some("another hash"), later(1)).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    assert!(w.store.user_by_key(&key("ann")).await.unwrap().is_some(), "nothing was done");
    store.erase(ann.id, Some("!"), later(1)).await.unwrap();

    assert_eq!(w.store.user_by_key(&key("ann")).await.unwrap(), None);
    let row = w.store.user(ann.id).await.unwrap().unwrap();
    let name = format!("deleted-{}", ann.id);
    assert_eq!((row.username.as_str(), row.email.as_str()), (name.as_str(), ""));
    assert!(!row.is_active && !row.is_staff && !row.is_superuser && row.last_login.is_none());
    assert_eq!(row.sharing, Sharing { typing: false, presence: false, ..Sharing::default() });
    assert_eq!(store.user_and_hash(&key(&name)).await.unwrap().unwrap().1, "!");
    assert_eq!(store.sessions_of(ann.id, NOW).await.unwrap(), []);
    assert_eq!(w.store.session(&session(&ann, "a").token_hash, NOW).await.unwrap(), None);
    let invite = store.invite(invite.id).await.unwrap().unwrap();
    assert_eq!((invite.revoked_at, invite.note.as_str()), (Some(later(1)), ""));
    assert_eq!(w.store.people(bob.id, &NamePrefix::new(""), None, 10).await.unwrap().people, []);
    let again = store.erase(ann.id, None, NOW).await;
    assert!(matches!(again, Err(StoreError::NotFound)), "{again:?}");
    // Nobody signs up as who they were, nor as one of the erased; an operator may give the name again.
    for name in ["ann", "Ann"] {
        let refused = store.sign_up(&new_user(name), None, None, NOW).await;
        assert!(matches!(refused, Err(StoreError::Conflict(Rule::Look))), "{refused:?}");
    }
    assert_eq!(Username::new(&name), Err(InvalidUsername::Reserved));
    assert_ne!(w.user("ann").await.id, ann.id);
}

async fn what_others_have_of_the_erased_stays(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&ann, &bob, "from ann").await;
    w.send(&bob, &ann, "from bob").await;
    let note = w.send(&ann, &ann, "a note").await.message;
    let bobs = w.send(&bob, &bob, "bob's own note").await.message;
    w.sql_home().0.erase(ann.id, None, later(1)).await.unwrap();

    let name = format!("deleted-{}", ann.id);
    let (id, _) = w.store.conversation_of(ann.id, bob.id).await.unwrap().unwrap();
    let messages = w.store.slice(id, Slice::After(0), 10).await.unwrap();
    let said: Vec<_> = messages.iter().map(|m| (m.sender_name.as_str(), m.body.as_str())).collect();
    assert_eq!(said, [("bob", "from bob"), (name.as_str(), "from ann")]);
    let list = w.store.conversations(bob.id, super::Which::All, None, 10).await.unwrap();
    assert!(list.conversations.iter().any(|c| c.peer == name), "bob keeps the conversation");
    let note = w.store.message(ann.id, note.id).await.unwrap().unwrap();
    assert_eq!((note.body.as_str(), note.deleted_at), ("", Some(later(1))));
    assert_eq!(w.store.message(bob.id, bobs.id).await.unwrap().unwrap().body, "bob's own note");
    // As with anybody who is not active: what is sent is stored.
    w.store.send(new_message(&bob, &ann, "are you there?", "k")).await.unwrap();
}

async fn an_erased_user_does_not_come_back(w: World) {
    let ann = w.user("ann").await;
    let store = w.sql_home().0;
    store.erase(ann.id, None, NOW).await.unwrap();
    for refused in [
        store.set_active(ann.id, true).await,
        store.set_password_hash(ann.id, "new", None).await,
        w.store.add_session(&session(&ann, "a")).await,
        store.change_password("!", "new", &session(&ann, "b")).await,
        w.store.set_profile(ann.id, &chatd::domain::ProfileChange::default(), NOW).await.map(drop),
    ] {
        assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    }
}

async fn nobody_is_signed_in_beside_an_erasure(w: World) {
    for round in 0..5 {
        let user = w.user(&format!("user{round}")).await;
        let (store, user) = (w.sql_home().0, &user);
        let tries = (0..20).map(|i| async move {
            let session = session(user, &format!("{round}x{i}"));
            store.sign_in(&attempt(), &session, later(100)).await.is_ok()
        });
        let peer = w.user(&format!("peer{round}")).await;
        let sends = (0..20).map(|i| w.store.send(new_message(&peer, user, "x", &format!("{round}-{i}"))));
        let (signed_in, sent, erased) = tokio::join!(
            futures_util::future::join_all(tries),
            futures_util::future::join_all(sends),
            store.erase(user.id, None, later(1))
        );
        erased.unwrap();
        assert!(sent.iter().all(Result::is_ok), "{sent:?}");
        assert_eq!(store.sessions_of(user.id, NOW).await.unwrap(), [], "{signed_in:?}");
        assert_eq!(w.store.conversation(peer.id, user.id).await.unwrap().unwrap().0.last_seq, 20);
    }
}

async fn the_last_superuser_stays(w: World) {
    let store = w.sql_home().0;
    let mut roots = Vec::new();
    for name in ["root1", "root2", "root3"] {
        let new = NewUser { is_superuser: true, ..new_user(name) };
        roots.push(w.store.add_user(&new, NOW).await.unwrap().id);
    }
    w.user("ann").await;
    let done = futures_util::future::join_all(roots.iter().map(|id| store.erase(*id, None, NOW))).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 2, "{done:?}");
    let refused = done.iter().filter(|done| matches!(done, Err(StoreError::Conflict(Rule::LastSuperuser))));
    assert_eq!(refused.count(), 1, "{done:?}");
    assert!(w.store.has_superuser().await.unwrap());
}

async fn a_name_that_was_kept_free_too_late_is_no_trouble(w: World) {
    let (ann, bob) = w.pair().await;
    w.sql(&format!(
        "UPDATE users SET username = 'deleted-{0}', username_key = 'deleted-{0}' WHERE id = {1}",
        ann.id, bob.id
    ))
    .await;
    w.sql_home().0.erase(ann.id, None, NOW).await.unwrap();
    let name = w.store.user(ann.id).await.unwrap().unwrap().username;
    assert!(name.starts_with(&format!("deleted-{}-", ann.id)), "{name}");
    assert_eq!(w.store.user(bob.id).await.unwrap().unwrap().username, format!("deleted-{}", ann.id));
}
