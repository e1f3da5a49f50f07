//! What people take along.

use chatd::domain::{ExportPart, ExportState};
use chatd::store::{Erasing as _, Exports as _, StoreError};
use libtest_mimic::Trial;

use super::{NOW, World, later};
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
    an_export_has_one_maker_at_a_time,
    an_export_is_its_users_and_expires,
    an_export_goes_with_its_user,
    conversations_come_by_their_numbers,
];

async fn an_export_has_one_maker_at_a_time(w: World) {
    let ann = w.user("ann").await;
    let store = w.sql_home().0;
    assert_eq!(store.claim_export(NOW, later(60)).await.unwrap(), None);
    let asked = store.ask_for_export(ann.id, NOW, later(1000)).await.unwrap();
    assert_eq!(asked.state, ExportState::Waiting);
    let claims = futures_util::future::join_all((0..10).map(|_| store.claim_export(NOW, later(60)))).await;
    let won: Vec<_> = claims.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(won.len(), 1, "{won:?}");
    let first = won[0];
    assert_eq!(store.ask_for_export(ann.id, NOW, later(1000)).await.unwrap().id, asked.id, "it goes on");
    assert!(store.add_export_chunk(first, ExportPart::Lines, 0, b"half").await.unwrap());
    // Its time has run out: from then on it is the second one's.
    let second = store.claim_export(later(60), later(120)).await.unwrap().unwrap();
    assert!(!store.add_export_chunk(first, ExportPart::Lines, 1, b"late").await.unwrap());
    assert!(!store.note_export(first, 1, 2, later(500)).await.unwrap());
    assert!(!store.finish_export(first, 1, later(1000)).await.unwrap());
    assert!(store.note_export(second, 1, 2, later(200)).await.unwrap());
    assert_eq!(store.claim_export(later(199), later(300)).await.unwrap(), None, "it was heard of");
    let third = store.claim_export(later(200), later(260)).await.unwrap().unwrap();
    assert_eq!(third.attempt, 3);
    assert_eq!(store.claim_export(later(260), later(300)).await.unwrap(), None);
    assert_eq!(store.export_of(ann.id, NOW).await.unwrap().unwrap().state, ExportState::Failed);
    let anew = store.ask_for_export(ann.id, NOW, later(1000)).await.unwrap();
    assert_eq!((anew.state, anew.id > asked.id), (ExportState::Waiting, true));
}

async fn an_export_is_its_users_and_expires(w: World) {
    let (ann, bob) = w.pair().await;
    let store = w.sql_home().0;
    let id = store.ask_for_export(ann.id, NOW, later(1000)).await.unwrap().id;
    let job = store.claim_export(NOW, later(60)).await.unwrap().unwrap();
    let (lines, page) = (vec![0u8, 255, 39], vec![7u8; 200_000]);
    assert!(store.add_export_chunk(job, ExportPart::Lines, 0, &lines).await.unwrap());
    assert!(store.add_export_chunk(job, ExportPart::Page, 0, &page).await.unwrap());
    let piece = async |user, part, no, at| store.export_chunk(user, id, part, no, at).await.unwrap();
    assert_eq!(piece(ann.id, ExportPart::Lines, 0, NOW).await, None, "not ready");
    assert!(store.finish_export(job, 5, later(500)).await.unwrap());
    assert_eq!(piece(ann.id, ExportPart::Lines, 0, NOW).await, Some(lines));
    assert_eq!(piece(ann.id, ExportPart::Page, 0, NOW).await, Some(page));
    assert_eq!(piece(ann.id, ExportPart::Page, 1, NOW).await, None);
    assert_eq!(piece(bob.id, ExportPart::Page, 0, NOW).await, None, "somebody else's");
    assert_eq!(piece(ann.id, ExportPart::Page, 0, later(500)).await, None, "expired");
    store.sweep_exports(later(499)).await.unwrap();
    assert!(store.export_of(ann.id, NOW).await.unwrap().is_some());
    assert!(piece(ann.id, ExportPart::Page, 0, NOW).await.is_some());
    store.sweep_exports(later(500)).await.unwrap();
    assert_eq!(store.export_of(ann.id, NOW).await.unwrap(), None);
    // Nothing is left: what has this number again would find it.
    w.sql(&format!(
        "INSERT INTO exports (id, user_id, state, attempt, claimed_until, created_at, expires_at, done, total) \
         VALUES ({id}, {}, 2, {}, 0, 0, {}, 0, 0)",
        ann.id,
        job.attempt,
        later(9000).0
    ))
    .await;
    assert_eq!(piece(ann.id, ExportPart::Page, 0, NOW).await, None);
}

async fn an_export_goes_with_its_user(w: World) {
    let ann = w.user("ann").await;
    let store = w.sql_home().0;
    store.ask_for_export(ann.id, NOW, later(1000)).await.unwrap();
    let job = store.claim_export(NOW, later(60)).await.unwrap().unwrap();
    store.erase(ann.id, None, NOW).await.unwrap();
    assert!(!store.add_export_chunk(job, ExportPart::Lines, 0, b"x").await.unwrap());
    assert!(!store.finish_export(job, 0, later(1000)).await.unwrap());
    assert_eq!(store.export_of(ann.id, NOW).await.unwrap(), None);
    let refused = store.ask_for_export(ann.id, NOW, later(1000)).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
}

async fn conversations_come_by_their_numbers(w: World) {
    let ann = w.user("ann").await;
    for name in ["bob", "carol", "dave"] {
        let peer = w.user(name).await;
        w.send(&peer, &ann, "hi").await;
    }
    let store = w.sql_home().0;
    let first = store.conversations_behind(ann.id, 0, 2).await.unwrap();
    let names: Vec<_> = first.iter().map(|c| c.peer.as_str()).collect();
    assert_eq!(names, ["bob", "carol"]);
    let rest = store.conversations_behind(ann.id, first[1].id, 2).await.unwrap();
    assert_eq!((rest[0].peer.as_str(), rest[0].last_seq, rest.len()), ("dave", 1, 1));
}
