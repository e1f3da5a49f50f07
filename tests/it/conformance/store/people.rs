//! Finding people by their names.

use std::collections::HashSet;

use chatd::domain::{DisplayName, NamePrefix, Place, ProfileChange, Timestamp, User, UserId, UserKey};
use chatd::store::{Profiles as _, SqlStore, Users as _};
use libtest_mimic::Trial;
use sqlx::{Connection as _, MySqlConnection, Row as _};

use super::World;
use crate::support::backend::{ALL, Backend, Database, on_each};

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
    people_are_found_by_each_word_in_any_script,
    nobody_is_found_twice,
    whoever_is_not_active_is_not_found,
    people_with_one_name_are_all_found,
    pages_hold_while_names_change,
    people_from_before_are_found,
    a_page_reads_as_many_rows_whoever_else_there_is,
];

impl World {
    async fn named(&self, username: &str, display_name: &str) -> User {
        let user = self.user(username).await;
        display(self.sql_home().0, user.id, display_name).await;
        user
    }

    /// Everybody who is found, page by page.
    async fn found(&self, me: i64, typed: &str, limit: i64) -> Vec<String> {
        let (mut names, mut after) = (Vec::new(), None::<Place>);
        loop {
            let page = self.store.people(me, &NamePrefix::new(typed), after.as_ref(), limit).await.unwrap();
            assert!(page.people.len() <= usize::try_from(limit).unwrap());
            assert!(!page.people.is_empty() || page.next.is_none(), "no page but the last is empty");
            names.extend(page.people.into_iter().map(|user| user.username));
            let Some(next) = page.next else { return names };
            assert!(Some(&next) > after.as_ref(), "pages go on");
            after = Some(next);
        }
    }
}

async fn people_are_found_by_each_word_in_any_script(w: World) {
    for (username, display_name) in [
        ("abc", "Ann Bo Carlsen"),
        ("yuki", "山田 太郎"),
        ("olga", "Ольга Ёлкина"),
        ("cs", "김철수"),
        ("m", "مُحَمَّد علي"),
        ("n", "नमस्ते जी"),
        ("jl", "Jean-Luc O’Brien"),
        ("wide", "Ｗｉｄｅ　Ｎａｍｅ"),
        ("böb", "🎉 Élodie"),
    ] {
        w.named(username, display_name).await;
    }
    for (typed, who) in [
        ("bo", "abc"),
        ("ANN  bo", "abc"),
        ("carl", "abc"),
        ("ab", "abc"),
        ("太", "yuki"),
        ("郎", "yuki"),
        ("ёл", "olga"),
        ("ОЛЬГА Ё", "olga"),
        ("철수", "cs"),
        ("علي", "m"),
        ("जी", "n"),
        ("luc", "jl"),
        ("brien", "jl"),
        ("name", "wide"),
        ("E\u{301}lo", "böb"),
        ("🎉", "böb"),
        ("BÖ", "böb"),
    ] {
        assert_eq!(w.found(0, typed, 10).await, [who], "{typed}");
    }
    for typed in ["rlsen", "elo", "bob", "ann c", "%", "_", "x\u{10ffff}"] {
        assert_eq!(w.found(0, typed, 10).await, [] as [&str; 0], "{typed}");
    }
    // By the name that is shown.
    assert_eq!(w.found(0, "", 2).await, ["abc", "jl", "wide", "olga", "m", "n", "yuki", "cs", "böb"]);
}

async fn nobody_is_found_twice(w: World) {
    let people = [
        // Before there is somebody whose username that is: afterwards it would be refused.
        ("bo", "Ann"),
        ("ann", "Ann Anne Annette"),
        ("anna", "Bo Anna"),
        ("annx", ""),
        ("zed", "Ann Zed"),
        ("a", "山 Ann 山"),
        ("an", "Ann-Ann Ann An"),
    ];
    for (username, display_name) in people {
        w.named(username, display_name).await;
    }
    for typed in ["", "a", "an", "ann", "anne", "annette", "b", "bo", "z", "山"] {
        let all = w.found(0, typed, 100).await;
        let once: HashSet<_> = all.iter().collect();
        assert_eq!(once.len(), all.len(), "{typed}: {all:?}");
        for limit in 1..4 {
            assert_eq!(w.found(0, typed, limit).await, all, "{typed}, {limit} at a time");
        }
    }
    assert_eq!(w.found(0, "ann", 2).await, ["ann", "bo", "an", "zed", "a", "anna", "annx"]);
}

async fn whoever_is_not_active_is_not_found(w: World) {
    let (ann, bob) = (w.named("ann", "Zoe Young").await, w.user("annb").await);
    assert_eq!(w.found(0, "zo", 5).await, ["ann"]);
    w.store.set_active(ann.id, false).await.unwrap();
    for typed in ["", "ann", "zo", "young"] {
        assert!(!w.found(0, typed, 5).await.contains(&"ann".to_owned()), "{typed}");
    }
    w.store.set_active(bob.id, false).await.unwrap();
    assert_eq!(w.found(0, "", 5).await, [] as [&str; 0]);
    for user in [&ann, &bob] {
        w.store.set_active(user.id, true).await.unwrap();
        w.store.set_active(user.id, true).await.unwrap();
    }
    assert_eq!(w.found(0, "ann", 5).await, ["ann", "annb"]);
    // An older version knows nothing of the names.
    w.sql("UPDATE users SET is_active = 0 WHERE username = 'ann'").await;
    assert_eq!(w.found(0, "ann", 5).await, ["annb"]);
}

async fn people_with_one_name_are_all_found(w: World) {
    for i in 0..25 {
        w.named(&format!("u{i:02}"), "Ann Bo").await;
    }
    let me = w.named("bo", "Ann Bo").await;
    let everyone: Vec<_> = (0..25).map(|i| format!("u{i:02}")).collect();
    for typed in ["ann", "bo", "ann bo"] {
        assert_eq!(w.found(me.id, typed, 4).await, everyone, "{typed}");
    }
    let with_me = w.found(0, "bo", 4).await;
    assert_eq!((with_me[0].as_str(), with_me.len()), ("bo", 26), "a username goes first, whatever its number");
}

async fn pages_hold_while_names_change(w: World) {
    let store = w.sql_home().0;
    let mut people = Vec::new();
    for i in 0..30 {
        people.push(w.named(&format!("ann{i:02}"), "Ann").await);
    }
    let changing = async {
        for round in 0..4 {
            for user in &people[10..20] {
                match round % 2 {
                    0 => display(store, user.id, "Anna Annette").await,
                    _ => store.set_active(user.id, round == 1).await.unwrap(),
                }
            }
        }
    };
    let reading = async {
        for _ in 0..10 {
            let mut after = None;
            let mut seen = Vec::new();
            loop {
                let page = store.people(0, &NamePrefix::new("an"), after.as_ref(), 7).await.unwrap();
                let once: HashSet<_> = page.people.iter().map(|user| user.id).collect();
                assert_eq!(once.len(), page.people.len(), "nobody twice in a page");
                seen.extend(page.people.into_iter().map(|user| user.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let steady = people[..10].iter().chain(&people[20..]);
            for user in steady {
                assert_eq!(seen.iter().filter(|id| **id == user.id).count(), 1, "whoever did not change: once");
            }
        }
    };
    tokio::join!(changing, reading);
}

async fn people_from_before_are_found(w: World) {
    let (store, database) = w.sql_home();
    let before = w.user("before").await;
    w.user("gone").await;
    w.sql("DELETE FROM people_names").await;
    w.sql("DELETE FROM meta WHERE name = 'people_names_up_to'").await;
    let rows: Vec<_> = (0..1999).map(|i| format!("('u{i:04}', 'u{i:04}', '', '', 1, 0, 0, 1)")).collect();
    w.sql(&format!(
        "INSERT INTO users (username, username_key, password_hash, email, is_active, is_staff, is_superuser, \
         date_joined) VALUES {}",
        rows.join(", ")
    ))
    .await;
    w.sql("UPDATE users SET is_active = 0 WHERE username = 'gone'").await;
    // As a migration does, and one that goes on where it was.
    SqlStore::migrate(&database.url).await.unwrap();
    assert_eq!(w.found(0, "", 100).await.len(), 2000);
    assert_eq!(w.found(before.id, "u19", 100).await.len(), 99);
    // An older version adds one more.
    w.sql(
        "INSERT INTO users (username, username_key, password_hash, email, is_active, is_staff, is_superuser, \
         date_joined) VALUES ('late', 'late', '', '', 1, 0, 0, 1)",
    )
    .await;
    store.note_people().await.unwrap();
    store.note_people().await.unwrap();
    assert_eq!(w.found(0, "la", 100).await, ["late"]);
    let late = w.store.user_by_key(&UserKey::new("late").unwrap()).await.unwrap().unwrap();
    w.store.set_active(late.id, false).await.unwrap();
    assert_eq!(w.found(0, "la", 100).await, [] as [&str; 0]);
}

/// What MariaDB counts itself. SQLite's plan is looked at where the statement is.
async fn a_page_reads_as_many_rows_whoever_else_there_is(w: World) {
    let (store, database) = w.sql_home();
    if !matches!(database.backend, Backend::MariaDb | Backend::MariaDbRepeatableRead) {
        return;
    }
    let mut c = MySqlConnection::connect(&database.url).await.unwrap();
    sqlx::query("SET GLOBAL userstat = 1").execute(&mut c).await.unwrap();
    let mut read = async || {
        let sql = "SELECT CAST(COALESCE(SUM(ROWS_READ), 0) AS SIGNED) FROM information_schema.TABLE_STATISTICS \
            WHERE TABLE_SCHEMA = DATABASE()";
        sqlx::query(sql).fetch_one(&mut c).await.unwrap().get::<i64, _>(0)
    };
    let mut added = 0;
    let mut counts = Vec::new();
    for people in [300, 30_000] {
        let rows: Vec<_> = (added..people).map(|i| format!("('u{i:05}', 'u{i:05}', '', '', 1, 0, 0, 1)")).collect();
        added = people;
        w.sql(&format!(
            "INSERT INTO users (username, username_key, password_hash, email, is_active, is_staff, is_superuser, \
             date_joined) VALUES {}",
            rows.join(", ")
        ))
        .await;
        store.note_people().await.unwrap();
        // Names that begin like the username's: people who are in more than one part.
        if people == 300 {
            for name in ["u00007", "u00008"] {
                let user = store.user_by_key(&UserKey::new(name).unwrap()).await.unwrap().unwrap();
                display(store, user.id, "Ulf U00").await;
            }
        }
        w.sql("ANALYZE TABLE people_names").await;
        let mut of_this = Vec::new();
        for typed in ["", "u", "u0000", "u00", "ulf"] {
            let first = store.people(0, &NamePrefix::new(typed), None, 20).await.unwrap();
            let mut deep = None;
            for _ in 0..4 {
                let page = store.people(0, &NamePrefix::new(typed), deep.as_ref(), 20).await.unwrap();
                deep = page.next.or(deep);
            }
            for after in [None, deep] {
                let before = read().await;
                store.people(0, &NamePrefix::new(typed), after.as_ref(), 20).await.unwrap();
                of_this.push((typed, read().await - before));
            }
            assert!(first.people.len() <= 20);
        }
        counts.push(of_this);
    }
    assert_eq!(counts[0], counts[1], "300 people and 30,000");
    assert!(counts[0].iter().all(|(_, rows)| (1..400).contains(rows)), "{:?}", counts[0]);
}

/// Gives somebody a display name.
async fn display(store: &SqlStore, user: UserId, name: &str) {
    let display_name = Some(DisplayName::new(name).expect("a name"));
    let change = ProfileChange { display_name, ..ProfileChange::default() };
    store.set_profile(user, &change, Timestamp(1_700_000_000_000_000)).await.expect("it is stored");
}
