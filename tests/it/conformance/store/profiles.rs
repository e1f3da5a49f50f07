//! What people say of themselves.

use chatd::domain::{About, Change, DisplayName, Face, Language, Profile, ProfileChange, TimeZone, User};
use chatd::store::{Avatar, Rule, StoreError, Which};
use libtest_mimic::Trial;

use super::{NOW, World};
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
    a_profile_is_told_to_ones_own_devices,
    a_profile_that_stays_writes_nothing,
    a_name_of_somebody_else_is_refused,
    faces_stand_beside_names,
    a_picture_takes_the_place_of_the_one_before,
];

fn called(name: &str) -> ProfileChange {
    ProfileChange { display_name: Some(DisplayName::new(name).unwrap()), ..ProfileChange::default() }
}

impl World {
    async fn call(&self, user: &User, name: &str) -> Profile {
        self.store.set_profile(user.id, &called(name), NOW).await.unwrap().0
    }

    async fn paint(&self, user: &User, content: &[u8]) -> String {
        let avatar = Avatar::new(content.to_vec());
        self.store.set_avatar(user.id, Some(&avatar), NOW).await.unwrap();
        avatar.name
    }
}

async fn a_profile_is_told_to_ones_own_devices(w: World) {
    let (ann, bob) = w.pair().await;
    assert_eq!(w.store.profile(ann.id).await.unwrap(), Profile::default());
    let heads = (w.store.head(ann.id).await.unwrap(), w.store.head(bob.id).await.unwrap());
    let change = ProfileChange {
        display_name: Some(DisplayName::new("Ann 山田 🎉").unwrap()),
        about: Some(About::new("'; -- \\ \"").unwrap()),
        time_zone: Some(TimeZone::new("Asia/Tokyo").unwrap()),
        language: Some(Language::new("ar").unwrap()),
    };
    let (profile, reached) = w.store.set_profile(ann.id, &change, NOW).await.unwrap();
    let expected = Profile {
        display_name: "Ann 山田 🎉".to_owned(),
        about: "'; -- \\ \"".to_owned(),
        time_zone: "Asia/Tokyo".to_owned(),
        language: "ar".to_owned(),
        avatar: None,
        version: 1,
    };
    assert_eq!((&profile, reached), (&expected, vec![(ann.id, heads.0.pos + 1)]));
    assert_eq!(w.store.profile(ann.id).await.unwrap(), expected);
    assert_eq!(w.log(&ann, heads.0).await, [Change::Profile(expected.clone())]);
    assert_eq!(w.store.head(bob.id).await.unwrap(), heads.1, "nobody else is told");
    // What an event says is what is so now.
    let expected = Profile { display_name: String::new(), version: 2, ..expected };
    assert_eq!(w.call(&ann, "").await, expected);
    assert_eq!(w.log(&ann, heads.0).await, [Change::Profile(expected.clone()), Change::Profile(expected)]);
}

async fn a_profile_that_stays_writes_nothing(w: World) {
    let ann = w.user("ann").await;
    w.call(&ann, "Ann").await;
    let head = w.store.head(ann.id).await.unwrap();
    for same in [called("Ann"), ProfileChange::default()] {
        let (profile, reached) = w.store.set_profile(ann.id, &same, NOW).await.unwrap();
        assert_eq!((profile.version, reached), (1, Vec::new()));
    }
    assert_eq!(w.store.set_avatar(ann.id, None, NOW).await.unwrap().1, []);
    let name = w.paint(&ann, b"a").await;
    let head_with = w.store.head(ann.id).await.unwrap();
    assert_eq!(head_with.pos, head.pos + 1);
    assert_eq!(w.paint(&ann, b"a").await, name);
    assert_eq!(w.store.head(ann.id).await.unwrap(), head_with);
    let nobody = w.store.set_profile(ann.id + 1000, &called("x"), NOW).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)), "{nobody:?}");
    let nobody = w.store.set_avatar(ann.id + 1000, Some(&Avatar::new(vec![1])), NOW).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)), "{nobody:?}");
}

async fn a_name_of_somebody_else_is_refused(w: World) {
    let (ann, bob) = w.pair().await;
    w.user("anna.maria").await;
    for name in ["bob", "BOB", "ｂｏｂ", "b0b", "B o b", "bo\u{200d}b", "anna.maria"] {
        let refused = w.store.set_profile(ann.id, &called(name), NOW).await;
        assert!(matches!(refused, Err(StoreError::Conflict(Rule::DisplayName))), "{name}: {refused:?}");
    }
    assert_eq!(w.store.profile(ann.id).await.unwrap(), Profile::default());
    // One's own is one's own; two may be called the same.
    for user in [&ann, &bob] {
        w.call(user, "Bobby").await;
    }
    w.call(&bob, "Bob").await;
    w.call(&ann, "Ann").await;
}

async fn faces_stand_beside_names(w: World) {
    let (ann, bob) = w.pair().await;
    let carol = w.user("carol").await;
    w.send(&ann, &bob, "x").await;
    w.send(&ann, &carol, "x").await;
    w.call(&bob, "Robert").await;
    let picture = w.paint(&bob, b"a picture").await;
    let roberts = Face { display_name: "Robert".to_owned(), avatar: Some(picture.clone()) };
    let faces = w.store.faces(&[ann.id, bob.id, carol.id, bob.id + 1000]).await.unwrap();
    assert_eq!(faces, [(bob.id, roberts.clone())].into());
    assert_eq!(w.store.faces(&[]).await.unwrap(), [].into());
    let list = w.store.conversations(ann.id, Which::All, None, 10).await.unwrap().conversations;
    let shown: Vec<_> = list.into_iter().map(|c| (c.peer, c.face)).collect();
    assert_eq!(shown, [("carol".to_owned(), Face::default()), ("bob".to_owned(), roberts.clone())]);
    let (one, _) = w.store.conversation(ann.id, bob.id).await.unwrap().unwrap();
    assert_eq!(one.face, roberts);
    // Who is not active has a name, and nothing else.
    w.store.set_active(bob.id, false).await.unwrap();
    assert_eq!(w.store.faces(&[bob.id]).await.unwrap(), [].into());
    assert_eq!(w.store.conversation(ann.id, bob.id).await.unwrap().unwrap().0.face, Face::default());
    assert_eq!(w.store.avatar(&picture).await.unwrap(), None);
    w.store.set_active(bob.id, true).await.unwrap();
    assert_eq!(w.store.conversation(ann.id, bob.id).await.unwrap().unwrap().0.face, roberts);
}

async fn a_picture_takes_the_place_of_the_one_before(w: World) {
    let (ann, bob) = w.pair().await;
    let long: Vec<u8> = (0..131_072u32).map(|n| n.to_le_bytes()[0]).collect();
    let first = w.paint(&ann, &long).await;
    assert_eq!(w.store.avatar(&first).await.unwrap(), Some(long.clone()));
    assert_eq!(w.paint(&bob, &long).await, first, "one picture, one name");
    let second = w.paint(&ann, b"another").await;
    assert_eq!(w.store.profile(ann.id).await.unwrap().avatar, Some(second.clone()));
    assert_eq!(w.store.avatar(&first).await.unwrap(), Some(long), "bob has it still");
    let head = w.store.head(bob.id).await.unwrap();
    let (profile, reached) = w.store.set_avatar(bob.id, None, NOW).await.unwrap();
    assert_eq!((profile.avatar, reached), (None, vec![(bob.id, head.pos + 1)]));
    assert_eq!(w.store.avatar(&first).await.unwrap(), None, "nobody has it");
    assert_eq!(w.store.avatar(&second).await.unwrap(), Some(b"another".to_vec()));
    assert_eq!(w.store.avatar("").await.unwrap(), None);
    assert_eq!(w.store.avatar("'; DROP TABLE avatars").await.unwrap(), None);
}
