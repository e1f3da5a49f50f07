//! How much MariaDB reads must not hang on what it believes of its tables: one that was filled shortly before it was killed
//! is empty for it.

use std::time::Duration;

use chatd::domain::{Slice, Timestamp, UserKey};
use chatd::store::{Session, Which};
use libtest_mimic::Trial;
use sqlx::{Connection as _, MySqlConnection, Row as _};

use super::{NOW, World};
use crate::support::backend::{Backend, Database};
use crate::support::services::OwnMariaDb;
use crate::support::{trial, until};

pub fn trials() -> Vec<Trial> {
    let name = "store::tables_that_are_said_to_be_empty_are_read_by_key";
    let here = Backend::MariaDb.is_here();
    vec![trial(name, tables_that_are_said_to_be_empty_are_read_by_key).with_ignored_flag(!here)]
}

/// As many people as would be read several times over by a plan that begins with them.
const PEOPLE: i64 = 300;
/// And so many messages of others.
const MESSAGES: i64 = 400;

async fn tables_that_are_said_to_be_empty_are_read_by_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let mariadb = OwnMariaDb::start(dir.path(), &["--userstat=1"]).await;
    let database = Database::on(&mariadb.url).await;
    let store = database.store().await;
    let w = World { store: store.clone(), home: super::Home::Sql(store, database) };
    let (ann, bob) = w.pair().await;
    let from = super::start(&w, &ann).await;
    for text in ["one", "two", "three"] {
        w.send(&ann, &bob, text).await;
    }
    let session = Session {
        token_hash: "a".repeat(64),
        user: ann.id,
        created_at: NOW,
        expires_at: Timestamp(NOW.0 + 3_600_000_000),
        user_agent: String::new(),
        last_used_at: NOW,
    };
    w.store.add_session(&session).await.unwrap();
    let (eve, fay) = (w.user("eve").await, w.user("fay").await);
    for number in 0..MESSAGES {
        w.send(&eve, &fay, &format!("between others {number}")).await;
    }
    let rows: Vec<_> = (0..PEOPLE).map(|i| format!("('u{i:05}', 'u{i:05}', '', '', 1, 0, 0, 1)")).collect();
    w.sql(&format!(
        "INSERT INTO users (username, username_key, password_hash, email, is_active, is_staff, is_superuser, \
         date_joined) VALUES {}",
        rows.join(", ")
    ))
    .await;
    w.sql(
        "INSERT INTO profiles (user_id, display_name, about, time_zone, language, avatar, version, changed_at) \
         SELECT id, username, '', '', '', '', 1, 0 FROM users",
    )
    .await;
    w.sql("INSERT INTO avatars (user_id, name, content) SELECT id, CONCAT('picture ', id), 'x' FROM users").await;
    // Everybody has a conversation with eve, and is signed in.
    w.sql(&format!(
        "INSERT INTO conversations (low_user, high_user, last_seq, last_timestamp, low_sent) \
         SELECT LEAST(id, {eve}), GREATEST(id, {eve}), 0, 0, 0 FROM users WHERE username LIKE 'u0%'",
        eve = eve.id
    ))
    .await;
    for (me, peer) in [("low_user", "high_user"), ("high_user", "low_user")] {
        w.sql(&format!(
            "INSERT INTO user_conversations (user_id, conversation_id, peer_id, last_seq, last_activity, peer_sent, \
             read_seq, peer_sent_read) SELECT {me}, id, {peer}, 0, 0, 0, 0, 0 FROM conversations WHERE last_seq = 0"
        ))
        .await;
    }
    w.sql(
        "INSERT INTO sessions (token_hash, user_id, created_at, expires_at, user_agent, last_used_at) \
         SELECT SHA2(id, 256), id, 0, 1, '', 0 FROM users",
    )
    .await;
    // What it says of them is found out anew after many changes only, and was not when it was killed.
    w.sql("UPDATE mysql.innodb_table_stats SET n_rows = 0 WHERE database_name = DATABASE()").await;
    w.sql("UPDATE mysql.innodb_index_stats SET stat_value = 0 WHERE database_name = DATABASE() AND stat_name LIKE 'n_diff%'")
        .await;
    mariadb.kill();
    mariadb.launch(&[]);
    let url = &w.sql_home().1.url;
    let mut c =
        until("MariaDB to answer", Duration::from_secs(30), || async { MySqlConnection::connect(url).await.ok() })
            .await;
    let said = "SELECT CAST(SUM(table_rows) AS SIGNED) FROM information_schema.tables WHERE table_schema = DATABASE()";
    assert_eq!(sqlx::query(said).fetch_one(&mut c).await.unwrap().get::<i64, _>(0), 0);

    let mut read = async || {
        let sql = "SELECT CAST(COALESCE(SUM(ROWS_READ), 0) AS SIGNED) FROM information_schema.TABLE_STATISTICS \
            WHERE TABLE_SCHEMA = DATABASE()";
        sqlx::query(sql).fetch_one(&mut c).await.unwrap().get::<i64, _>(0)
    };
    let store = &w.store;
    let (conversation, _) = store.conversation_of(ann.id, bob.id).await.unwrap().expect("they have one");
    let mut counts = Vec::new();
    macro_rules! count {
        ($what:literal, $look:expr) => {{
            let before = read().await;
            let found = $look.await.unwrap();
            counts.push(($what, read().await - before));
            found
        }};
    }
    assert_eq!(count!("list", store.conversations(ann.id, Which::All, None, 20)).conversations.len(), 1);
    assert!(count!("one", store.conversation(ann.id, bob.id)).is_some());
    assert_eq!(count!("slice", store.slice(conversation, Slice::Before(i64::MAX), 20)).len(), 3);
    assert_eq!(count!("messages", store.messages_of(ann.id, 0, 20)).len(), 3);
    assert!(!count!("events", store.events(ann.id, from, 20)).expect("the log is whole").events.is_empty());
    let key = UserKey::new("bob").expect("a name");
    assert_eq!(count!("peers", store.peers_among(ann.id, std::slice::from_ref(&key))).len(), 1);
    assert_eq!(count!("faces", store.faces(&[bob.id])).len(), 1);
    assert!(count!("avatar", store.avatar(&format!("picture {}", bob.id))).is_some());
    assert!(count!("session", store.session(&session.token_hash, NOW)).is_some());
    assert_eq!(count!("live", store.live_sessions(std::slice::from_ref(&session.token_hash), NOW)).len(), 1);
    assert!(counts.iter().all(|(_, rows)| (1..PEOPLE).contains(rows)), "{counts:?}");
}
