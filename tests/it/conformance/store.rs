//! What every database must do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chatd::domain::{
    Body, Change, ClientId, Mark, NamePrefix, NewMessage, NewUser, Place, Position, SendKey, Sent, Slice, Timestamp,
    User, UserKey, Username,
};
use chatd::store::{Allowance, Rule, Session, SqlStore, Store, StoreError, Try, Which};
use libtest_mimic::Trial;

use crate::simulation::memory::MemoryStore;
use crate::support::backend::{ALL, Database, on_each, run};
use crate::support::trial;

macro_rules! on_every_backend {
    ($($test:ident),* $(,)?) => {
        pub fn trials() -> Vec<Trial> {
            let mut trials = Vec::new();
            $(trials.extend(on_each(&ALL, concat!("store::", stringify!($test)), |backend| async move {
                let database = Database::new(backend).await;
                let store = database.store().await;
                $test(World { store: store.clone(), home: Home::Sql(store, database) }).await;
            }));
            if !NOT_IN_MEMORY.contains(&stringify!($test)) {
                trials.push(trial(concat!("store::", stringify!($test), "::memory"), || async move {
                    let store = MemoryStore::alone(rand::random());
                    $test(World { store: store.clone(), home: Home::Memory(store) }).await;
                }));
            })*
            trials
        }
    };
}

pub mod accounts;
pub mod edits;
pub mod erasing;
pub mod exports;
pub mod factors;
pub mod mails;
pub mod marks;
pub mod people;
pub mod plans;
pub mod profiles;
pub mod settings;

on_every_backend![
    every_statement_is_understood,
    migrating_again_changes_nothing,
    names_are_unique_without_regard_to_case,
    an_accented_name_is_another_name,
    two_at_once_cannot_take_one_name,
    people_are_found_by_prefix_in_pages,
    everybody_is_listed_however_many,
    many_look_ups_at_once_have_each_their_answer,
    a_message_is_numbered_and_timed,
    a_conversation_is_the_same_for_both,
    the_same_key_is_the_same_message,
    the_same_key_with_other_content_is_a_conflict,
    the_same_key_of_two_senders_is_two_messages,
    an_unknown_recipient_stores_nothing,
    one_bad_message_does_not_spoil_its_batch,
    repeats_amid_a_batch_are_found,
    many_senders_leave_no_gap,
    many_stores_leave_no_gap,
    time_never_goes_back_in_a_conversation,
    emoji_and_every_plane_come_back,
    notes_to_oneself_have_one_of_everything,
    unread_is_what_the_peer_sent_above_the_mark,
    reading_is_clamped_and_never_falls,
    reading_again_writes_nothing,
    reading_tells_both,
    slices_of_a_conversation,
    the_list_of_everything_is_newest_first,
    conversations_come_newest_first_in_pages,
    the_log_is_told_in_order_without_a_gap,
    a_page_of_the_log_goes_on_where_it_ended,
    a_place_with_another_tag_is_refused,
    a_place_beyond_the_head_is_refused,
    a_pruned_log_is_refused_behind_its_start,
    a_log_with_a_hole_is_refused,
    pruning_keeps_the_newest,
    heads_of_many_users,
    somebody_elses_message_is_not_there,
    sessions_end_and_expire,
    a_deactivated_user_has_no_session,
    a_new_password_ends_the_other_sessions,
    an_allowance_runs_out_and_comes_back,
    an_allowance_is_exact_under_contention,
    a_right_try_gives_back_the_minute_and_ends_the_row,
    a_sign_in_is_whole_or_not_at_all,
    a_network_is_known_for_its_time,
    repair_restores_the_list,
    history_is_numbered_like_sends,
    nothing_weakens_durability,
    epoch_and_install_stay,
];

/// What the store of the simulation does not model: SQL itself, sessions and limits, passwords, imports, repair, mail, and
/// what users arrange for themselves.
const NOT_IN_MEMORY: &[&str] = &[
    "every_statement_is_understood",
    "migrating_again_changes_nothing",
    "everybody_is_listed_however_many",
    "sessions_end_and_expire",
    "a_deactivated_user_has_no_session",
    "a_new_password_ends_the_other_sessions",
    "an_allowance_runs_out_and_comes_back",
    "an_allowance_is_exact_under_contention",
    "a_right_try_gives_back_the_minute_and_ends_the_row",
    "a_sign_in_is_whole_or_not_at_all",
    "a_network_is_known_for_its_time",
    "repair_restores_the_list",
    "history_is_numbered_like_sends",
    "nothing_weakens_durability",
    "epoch_and_install_stay",
    "a_conversation_is_arranged_for_one_alone",
    "arranging_the_same_writes_nothing",
    "a_new_message_brings_back_what_was_put_aside",
    "pinned_conversations_are_listed_by_themselves",
    "sharing_is_told_to_ones_own_devices",
    "sharing_the_same_writes_nothing",
    "hidden_reading_is_told_to_nobody_else",
    "who_hides_does_not_see",
    "what_was_told_before_is_hidden_too",
    "mail_comes_back_as_it_was_queued",
    "mail_is_due_in_its_order",
    "one_sender_has_a_mail",
    "a_mail_comes_back_when_its_sender_is_gone",
    "postponed_mail_waits",
    "a_clock_that_was_ahead_holds_no_mail",
    "what_waits_is_counted",
];

pub struct World {
    store: Arc<dyn Store>,
    home: Home,
}

/// Where the store keeps what it holds.
enum Home {
    Sql(Arc<SqlStore>, Database),
    Memory(Arc<MemoryStore>),
}

const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn new_user(name: &str) -> NewUser {
    NewUser {
        username: Username::new(name).unwrap(),
        password_hash: "!".to_owned(),
        email: String::new(),
        is_staff: false,
        is_superuser: false,
    }
}

fn new_message(from: &User, to: &User, body: &str, key: &str) -> NewMessage {
    NewMessage {
        sender: from.id,
        recipient: to.id,
        body: Body::new(body, 100_000).unwrap(),
        key: SendKey::Own(ClientId::new(key).unwrap()),
        reply_to: None,
        now: NOW,
    }
}

impl World {
    async fn user(&self, name: &str) -> User {
        self.store.add_user(&new_user(name), NOW).await.unwrap()
    }

    async fn pair(&self) -> (User, User) {
        (self.user("ann").await, self.user("bob").await)
    }

    async fn send(&self, from: &User, to: &User, body: &str) -> Sent {
        let key = format!("{:016x}", rand::random::<u64>());
        self.store.send(new_message(from, to, body, &key)).await.unwrap()
    }

    async fn unread(&self, user: &User, peer: &User) -> (i64, i64) {
        let (c, _) = self.store.conversation(user.id, peer.id).await.unwrap().unwrap();
        (c.unread, c.read_seq)
    }

    async fn log(&self, user: &User, after: Position) -> Vec<Change> {
        let page = self.store.events(user.id, after, 1000).await.unwrap().expect("the log is whole");
        assert!(!page.more);
        page.events.into_iter().map(|e| e.change).collect()
    }

    /// The store as SQL has it, for what is asked of SQL alone.
    fn sql_home(&self) -> (&SqlStore, &Database) {
        match &self.home {
            Home::Sql(store, database) => (store, database),
            Home::Memory(_) => panic!("this is about SQL; it belongs into NOT_IN_MEMORY"),
        }
    }

    async fn sql(&self, sql: &str) {
        run(&self.sql_home().1.url, sql).await;
    }

    /// A second store over the same database, as another process has it.
    async fn another_store(&self) -> Arc<dyn Store> {
        match &self.home {
            Home::Sql(_, database) => database.store().await,
            Home::Memory(store) => MemoryStore::new(&store.database),
        }
    }
}

async fn every_statement_is_understood(w: World) {
    assert_eq!(w.sql_home().0.unprepared().await.unwrap(), []);
}

async fn migrating_again_changes_nothing(w: World) {
    let database = w.sql_home().1;
    assert_eq!(SqlStore::migrate(&database.url).await.unwrap(), 0);
    assert!(w.store.migration_status().await.unwrap().is_current());
    let empty = Database::unmigrated(database.backend).await;
    assert!(!SqlStore::status(&empty.url).await.unwrap().is_current());
}

async fn names_are_unique_without_regard_to_case(w: World) {
    w.user("Ann").await;
    for name in ["ann", "ANN", "ａｎｎ"] {
        let refused = w.store.add_user(&new_user(name), NOW).await;
        assert!(matches!(refused, Err(StoreError::Conflict(Rule::Username))), "{name}: {refused:?}");
    }
    let found = w.store.user_by_key(&UserKey::new(" aNN ").unwrap()).await.unwrap();
    assert_eq!(found.unwrap().username, "Ann");
}

async fn an_accented_name_is_another_name(w: World) {
    let (plain, accented) = (w.user("bob").await, w.user("böb").await);
    assert_ne!(plain.id, accented.id);
    let found = w.store.user_by_key(&UserKey::new("BÖB").unwrap()).await.unwrap();
    assert_eq!(found.unwrap().id, accented.id);
}

async fn two_at_once_cannot_take_one_name(w: World) {
    let tries = (0..8).map(|_| {
        let store = w.store.clone();
        tokio::spawn(async move { store.add_user(&new_user("ann"), NOW).await })
    });
    let mut made = 0;
    for attempt in tries.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            Ok(_) => made += 1,
            Err(StoreError::Conflict(Rule::Username)) => {}
            Err(e) => panic!("{e}"),
        }
    }
    assert_eq!(made, 1);
}

async fn people_are_found_by_prefix_in_pages(w: World) {
    let me = w.user("ann-me").await;
    for name in ["anna", "Annika", "annegret", "bob", "añn", "ゆき"] {
        w.user(name).await;
    }
    let gone = w.user("anngone").await;
    w.store.set_active(gone.id, false).await.unwrap();
    let find = async |prefix: &str, after: Option<&Place>, limit| {
        let page = w.store.people(me.id, &NamePrefix::new(prefix), after, limit).await.unwrap();
        (page.people.into_iter().map(|user| user.username).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(find("ANN", None, 10).await, (strings(["anna", "annegret", "Annika"]), None));
    let (first, next) = find("ann", None, 2).await;
    assert_eq!(first, ["anna", "annegret"]);
    assert_eq!(find("ann", next.as_ref(), 2).await, (strings(["Annika"]), None));
    assert_eq!(find("ann", None, 3).await.1, None, "there is no empty page");
    assert_eq!(find("ゆ", None, 10).await.0, ["ゆき"]);
    assert_eq!(find("", None, 10).await.0.len(), 6);
}

fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

async fn everybody_is_listed_however_many(w: World) {
    w.user("first").await;
    // A part holds 5,000. The last one is full, then it is not.
    for (from, to) in [(1, 10_000), (10_000, 10_001)] {
        let rows: Vec<_> = (from..to).map(|i| format!("('u{i}', 'u{i}', '', '', 1, 0, 0, {i})")).collect();
        w.sql(&format!(
            "INSERT INTO users (username, username_key, password_hash, email, is_active, is_staff, is_superuser, \
             date_joined) VALUES {}",
            rows.join(", ")
        ))
        .await;
        let all = w.store.all_users().await.unwrap();
        assert_eq!(all.len(), to);
        assert!(all.is_sorted_by(|a, b| a.id < b.id), "each once");
        assert_eq!(all[to - 1].username, format!("u{}", to - 1));
    }
}

async fn many_look_ups_at_once_have_each_their_answer(w: World) {
    let mut people = Vec::new();
    for i in 0..20 {
        people.push(w.user(&format!("person{i}")).await);
    }
    // More than one query holds, some of them twice, some of nobody.
    let asked = (0..400usize).map(|i| {
        let (store, key) = (w.store.clone(), UserKey::new(&format!("Person{}", i % 25)).unwrap());
        tokio::spawn(async move { (i % 25, store.user_by_key(&key).await.unwrap()) })
    });
    for answer in asked.collect::<Vec<_>>() {
        let (i, found) = answer.await.unwrap();
        assert_eq!(found.as_ref(), people.get(i), "person{i}");
    }
}

async fn a_message_is_numbered_and_timed(w: World) {
    let (ann, bob) = w.pair().await;
    let first = w.store.send(new_message(&ann, &bob, "  hi ", "k1")).await.unwrap();
    assert!(first.created);
    assert_eq!((first.message.seq, first.message.version), (1, 1));
    assert_eq!(first.message.body, "hi");
    assert_eq!(first.message.timestamp, NOW);
    assert_eq!(first.message.client_id.as_deref(), Some("k1"));
    assert_eq!((first.message.sender_name.as_str(), first.message.recipient_name.as_str()), ("ann", "bob"));
    assert_eq!(first.reached, [(ann.id, 1), (bob.id, 1)]);
    let made = NewMessage { key: SendKey::Made(ClientId::new("m1").unwrap()), ..new_message(&bob, &ann, "yo", "x") };
    let second = w.store.send(made).await.unwrap();
    assert_eq!(second.message.seq, 2);
    assert_eq!(second.message.client_id, None);
    assert_eq!(w.store.message(ann.id, second.message.id).await.unwrap(), Some(second.message));
}

async fn a_conversation_is_the_same_for_both(w: World) {
    let (ann, bob) = w.pair().await;
    let sent = w.send(&bob, &ann, "hi").await.message;
    let id = w.store.conversation_of(ann.id, bob.id).await.unwrap();
    assert_eq!(id, Some((sent.conversation, 1)));
    assert_eq!(w.store.conversation_of(bob.id, ann.id).await.unwrap(), id);
    for reader in [&ann, &bob] {
        assert_eq!(w.store.message(reader.id, sent.id).await.unwrap().as_ref(), Some(&sent));
    }
}

async fn the_same_key_is_the_same_message(w: World) {
    let (ann, bob) = w.pair().await;
    let tries = (0..16).map(|_| {
        let (store, new) = (w.store.clone(), new_message(&ann, &bob, "once", "key"));
        tokio::spawn(async move { store.send(new).await.unwrap() })
    });
    let mut created = 0;
    let mut ids = Vec::new();
    for attempt in tries.collect::<Vec<_>>() {
        let sent = attempt.await.unwrap();
        created += usize::from(sent.created);
        ids.push(sent.message.id);
    }
    ids.dedup();
    assert_eq!((created, ids.len()), (1, 1));
    assert_eq!(w.store.count_messages(bob.id).await.unwrap(), 1);
    assert_eq!(w.store.head(bob.id).await.unwrap().pos, 1);
}

async fn the_same_key_with_other_content_is_a_conflict(w: World) {
    let (ann, bob) = w.pair().await;
    let carol = w.user("carol").await;
    w.store.send(new_message(&ann, &bob, "one", "key")).await.unwrap();
    for other in [new_message(&ann, &bob, "two", "key"), new_message(&ann, &carol, "one", "key")] {
        let refused = w.store.send(other).await;
        assert!(matches!(refused, Err(StoreError::Conflict(Rule::ClientId))), "{refused:?}");
    }
    assert_eq!(w.store.count_messages(ann.id).await.unwrap(), 1);
}

async fn the_same_key_of_two_senders_is_two_messages(w: World) {
    let (ann, bob) = w.pair().await;
    let one = w.store.send(new_message(&ann, &bob, "x", "key")).await.unwrap();
    let two = w.store.send(new_message(&bob, &ann, "x", "key")).await.unwrap();
    assert!(one.created && two.created);
    // Keys are told apart by case, and the shortest and the longest are kept whole.
    let long = "k".repeat(64);
    for key in ["KEY", "k", long.as_str()] {
        assert!(w.store.send(new_message(&ann, &bob, "x", key)).await.unwrap().created, "{key}");
    }
}

async fn an_unknown_recipient_stores_nothing(w: World) {
    let (ann, bob) = w.pair().await;
    let nobody = User { id: 999_999, ..bob };
    let refused = w.store.send(new_message(&ann, &nobody, "x", "key")).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    assert_eq!(w.store.head(ann.id).await.unwrap().pos, 0);
    assert_eq!(w.store.count_messages(ann.id).await.unwrap(), 0);
}

async fn one_bad_message_does_not_spoil_its_batch(w: World) {
    let (ann, bob) = w.pair().await;
    let nobody = User { id: 999_999, ..bob.clone() };
    let sends = (0..40).map(|i| {
        let to = if i % 10 == 3 { &nobody } else { &bob };
        let (store, new) = (w.store.clone(), new_message(&ann, to, "x", &format!("k{i}")));
        tokio::spawn(async move { store.send(new).await })
    });
    let mut outcomes = Vec::new();
    for send in sends.collect::<Vec<_>>() {
        outcomes.push(send.await.unwrap());
    }
    assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 36);
    assert_eq!(outcomes.iter().filter(|o| matches!(o, Err(StoreError::NotFound))).count(), 4);
    assert_eq!(w.store.count_messages(bob.id).await.unwrap(), 36);
}

/// New keys, repeated ones and one with other content, together: each gets its own answer, nothing is stored twice.
async fn repeats_amid_a_batch_are_found(w: World) {
    let (ann, bob) = w.pair().await;
    let carol = w.user("carol").await;
    let mut before = Vec::new();
    for i in 0..8 {
        before.push(w.store.send(new_message(&ann, &bob, "x", &format!("old{i}"))).await.unwrap().message);
    }
    let news = (0..40).map(|i| match i % 5 {
        // Two of these keys went to bob: other content, and a person who is not in the batch otherwise.
        0 if i < 10 => new_message(&ann, &carol, "x", &format!("old{}", i / 5)),
        1 => new_message(&ann, &bob, "x", &format!("old{}", i / 5)),
        _ => new_message(&ann, &bob, "x", &format!("new{i}")),
    });
    let sends = news.map(|new| {
        let store = w.store.clone();
        tokio::spawn(async move { (new.key.as_str().to_owned(), new.recipient, store.send(new).await) })
    });
    let (mut created, mut repeated, mut conflicts) = (0, 0, 0);
    for send in sends.collect::<Vec<_>>() {
        let (key, recipient, outcome) = send.await.unwrap();
        match outcome {
            Ok(sent) if sent.created => created += usize::from(key.starts_with("new") && sent.message.body == "x"),
            Ok(sent) => {
                assert!(before.contains(&sent.message), "{sent:?}");
                repeated += 1;
            }
            Err(StoreError::Conflict(Rule::ClientId)) => {
                assert_eq!(recipient, carol.id);
                conflicts += 1;
            }
            Err(e) => panic!("{e}"),
        }
    }
    assert_eq!((created, repeated, conflicts), (30, 8, 2));
    let (id, last) = w.store.conversation_of(ann.id, bob.id).await.unwrap().unwrap();
    let all = w.store.slice(id, Slice::After(0), 100).await.unwrap();
    assert_eq!((all.len(), last), (38, 38));
    assert!(w.store.conversation_of(ann.id, carol.id).await.unwrap().is_none());
}

/// Everything sent by `sends` is there once, numbered without a gap, and told to everybody in order.
async fn check_history(w: &World, people: &[User], sends: usize) {
    let mut total = 0;
    for (i, a) in people.iter().enumerate() {
        for b in &people[i..] {
            let Some((id, last)) = w.store.conversation_of(a.id, b.id).await.unwrap() else { continue };
            let mut all = w.store.slice(id, Slice::After(0), 10_000).await.unwrap();
            all.reverse();
            let seqs: Vec<_> = all.iter().map(|m| m.seq).collect();
            assert_eq!(seqs, (1..=last).collect::<Vec<_>>());
            assert!(all.windows(2).all(|p| p[0].timestamp < p[1].timestamp));
            total += all.len();
        }
        let told = w.log(a, start(w, a).await).await;
        let mut next: HashMap<i64, i64> = HashMap::new();
        for change in told {
            let Change::MessageCreated { message, .. } = change else { panic!("{change:?}") };
            let seq = next.entry(message.conversation).or_default();
            *seq += 1;
            assert_eq!(message.seq, *seq);
        }
        assert_eq!(w.store.count_messages(a.id).await.unwrap(), next.values().sum::<i64>());
    }
    assert_eq!(total, sends);
}

/// The place at which the log of a user starts.
async fn start(w: &World, user: &User) -> Position {
    use sqlx::Connection;
    const SQL: &str = "SELECT tag FROM events WHERE user_id = ? AND pos = 0";
    if let Home::Memory(store) = &w.home {
        return store.start_of_log(user.id).unwrap();
    }
    let url = &w.sql_home().1.url;
    let tag: i64 = if url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(url).await.unwrap();
        sqlx::query_scalar(SQL).bind(user.id).fetch_one(&mut c).await.unwrap()
    } else {
        let mut c = sqlx::MySqlConnection::connect(url).await.unwrap();
        sqlx::query_scalar(SQL).bind(user.id).fetch_one(&mut c).await.unwrap()
    };
    Position { pos: 0, tag }
}

async fn many_senders(w: &World, stores: &[Arc<dyn Store>]) {
    let mut people = Vec::new();
    for name in ["ann", "bob", "carol", "dave"] {
        people.push(w.user(name).await);
    }
    let mut tasks = Vec::new();
    for task in 0..16usize {
        let (store, people) = (stores[task % stores.len()].clone(), people.clone());
        tasks.push(tokio::spawn(async move {
            for i in 0..25 {
                let (from, to) = (&people[task % 4], &people[(task / 4 + i) % 4]);
                store.send(new_message(from, to, "x", &format!("{task}-{i}"))).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    check_history(w, &people, 16 * 25).await;
}

async fn many_senders_leave_no_gap(w: World) {
    many_senders(&w, std::slice::from_ref(&w.store)).await;
}

async fn many_stores_leave_no_gap(w: World) {
    let other = w.another_store().await;
    many_senders(&w, &[w.store.clone(), other]).await;
}

async fn time_never_goes_back_in_a_conversation(w: World) {
    let (ann, bob) = w.pair().await;
    let mut last = Timestamp(i64::MIN);
    for (i, now) in [5, 3, 3, -1000, 7].into_iter().enumerate() {
        let new = NewMessage { now: Timestamp(NOW.0 + now), ..new_message(&ann, &bob, "x", &format!("k{i}")) };
        let sent = w.store.send(new).await.unwrap().message.timestamp;
        assert!(sent > last, "{sent} after {last}");
        last = sent;
    }
    assert_eq!(last.0, NOW.0 + 9);
}

async fn emoji_and_every_plane_come_back(w: World) {
    let (ann, bob) = w.pair().await;
    for body in ["🎉", "👩‍👩‍👧‍👦 🇨🇿", "a\u{1}\u{1b}b", "ä\u{308}", "日本語 עברית", "𝔘 \u{10ffff}", "x\u{2028}y", "a \n b"]
    {
        let sent = w.send(&ann, &bob, body).await.message;
        assert_eq!(w.store.message(bob.id, sent.id).await.unwrap().unwrap().body, body);
    }
    let long = "🎉".repeat(70_000);
    let sent = w.send(&ann, &bob, &long).await.message;
    assert_eq!(w.store.message(bob.id, sent.id).await.unwrap().unwrap().body, long);
}

async fn notes_to_oneself_have_one_of_everything(w: World) {
    let (ann, bob) = w.pair().await;
    for _ in 0..3 {
        let sent = w.send(&ann, &ann, "note").await;
        assert_eq!(sent.reached.len(), 1);
    }
    assert_eq!(w.unread(&ann, &ann).await, (0, 3));
    let told = w.log(&ann, start(&w, &ann).await).await;
    assert_eq!(told.len(), 3);
    let page = w.store.conversations(ann.id, Which::All, None, 10).await.unwrap();
    assert_eq!(page.conversations.len(), 1);
    assert_eq!(page.conversations[0].peer, "ann");
    assert_eq!(page.conversations[0].peer_read_seq, 3);
    assert_eq!(w.store.count_messages(ann.id).await.unwrap(), 3);
    assert_eq!(w.store.messages_of(ann.id, 0, 10).await.unwrap().len(), 3);
    assert_eq!(w.store.head(bob.id).await.unwrap().pos, 0);
}

async fn unread_is_what_the_peer_sent_above_the_mark(w: World) {
    let (ann, bob) = w.pair().await;
    // bob: 1 2 . 4 . . 7, ann: 3 5 6
    for from in [&bob, &bob, &ann, &bob, &ann, &ann, &bob] {
        let to = if from.id == ann.id { &bob } else { &ann };
        w.send(from, to, "x").await;
    }
    assert_eq!(w.unread(&ann, &bob).await, (4, 0));
    assert_eq!(w.unread(&bob, &ann).await, (3, 0));
    for (seq, anns, bobs) in [(1, 3, 3), (3, 2, 2), (5, 1, 1), (7, 0, 0)] {
        let (state, _) = w.store.mark(ann.id, bob.id, (Mark::Read, seq), NOW).await.unwrap().unwrap();
        assert_eq!((state.unread, state.read_seq), (anns, seq));
        assert_eq!(w.unread(&ann, &bob).await, (anns, seq));
        let (state, _) = w.store.mark(bob.id, ann.id, (Mark::Read, seq), NOW).await.unwrap().unwrap();
        assert_eq!((state.unread, state.peer_read_seq), (bobs, seq));
    }
    // Sending does not mark as read.
    w.send(&bob, &ann, "x").await;
    w.send(&ann, &bob, "x").await;
    assert_eq!(w.unread(&ann, &bob).await, (1, 7));
}

async fn reading_is_clamped_and_never_falls(w: World) {
    let (ann, bob) = w.pair().await;
    assert_eq!(w.store.mark(ann.id, bob.id, (Mark::Read, 1), NOW).await.unwrap(), None);
    for _ in 0..3 {
        w.send(&bob, &ann, "x").await;
    }
    for (seq, expected) in [(2, 2), (1, 2), (-5, 2), (i64::MAX, 3), (0, 3)] {
        let (state, _) = w.store.mark(ann.id, bob.id, (Mark::Read, seq), NOW).await.unwrap().unwrap();
        assert_eq!(state.read_seq, expected);
    }
}

async fn reading_again_writes_nothing(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&bob, &ann, "x").await;
    let (_, told) = w.store.mark(ann.id, bob.id, (Mark::Read, 1), NOW).await.unwrap().unwrap();
    assert_eq!(told.len(), 2);
    let heads = (w.store.head(ann.id).await.unwrap(), w.store.head(bob.id).await.unwrap());
    let (_, told) = w.store.mark(ann.id, bob.id, (Mark::Read, 1), NOW).await.unwrap().unwrap();
    assert_eq!(told, []);
    assert_eq!((w.store.head(ann.id).await.unwrap(), w.store.head(bob.id).await.unwrap()), heads);
}

async fn reading_tells_both(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&bob, &ann, "x").await;
    let heads = (w.store.head(ann.id).await.unwrap(), w.store.head(bob.id).await.unwrap());
    w.store.mark(ann.id, bob.id, (Mark::Read, 1), NOW).await.unwrap().unwrap();
    let anns = w.log(&ann, heads.0).await;
    let bobs = w.log(&bob, heads.1).await;
    let [Change::Read(a)] = anns.as_slice() else { panic!("{anns:?}") };
    let [Change::Read(b)] = bobs.as_slice() else { panic!("{bobs:?}") };
    assert_eq!((a.peer.as_str(), a.read_seq, a.peer_read_seq, a.unread), ("bob", 1, 0, 0));
    assert_eq!((b.peer.as_str(), b.read_seq, b.peer_read_seq, b.unread), ("ann", 0, 1, 0));
}

async fn slices_of_a_conversation(w: World) {
    let (ann, bob) = w.pair().await;
    for i in 1..=10 {
        w.send(&ann, &bob, &i.to_string()).await;
    }
    let (id, _) = w.store.conversation_of(ann.id, bob.id).await.unwrap().unwrap();
    let seqs = async |part, limit| {
        let found = w.store.slice(id, part, limit).await.unwrap();
        found.into_iter().map(|m| m.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(Slice::Before(i64::MAX), 3).await, [10, 9, 8]);
    assert_eq!(seqs(Slice::Before(3), 5).await, [2, 1]);
    assert_eq!(seqs(Slice::After(0), 3).await, [3, 2, 1]);
    assert_eq!(seqs(Slice::After(8), 5).await, [10, 9]);
    assert_eq!(seqs(Slice::After(10), 5).await, [] as [i64; 0]);
    assert_eq!(seqs(Slice::Around(5), 4).await, [7, 6, 5, 4]);
    assert_eq!(seqs(Slice::Around(10), 4).await, [10, 9, 8, 7]);
    assert_eq!(seqs(Slice::Around(1), 4).await, [3, 2, 1]);
}

async fn the_list_of_everything_is_newest_first(w: World) {
    let (ann, bob) = w.pair().await;
    let carol = w.user("carol").await;
    let mut sent = Vec::new();
    for (i, (from, to)) in
        [(&ann, &bob), (&carol, &ann), (&ann, &ann), (&bob, &ann), (&bob, &carol)].into_iter().enumerate()
    {
        let new = NewMessage { now: later(i as u64), ..new_message(from, to, "x", &format!("k{i}")) };
        sent.push(w.store.send(new).await.unwrap().message.id);
    }
    sent.pop();
    sent.reverse();
    let ids = async |offset, limit| {
        let found = w.store.messages_of(ann.id, offset, limit).await.unwrap();
        found.into_iter().map(|m| m.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(0, 10).await, sent);
    assert_eq!(ids(1, 2).await, sent[1..3]);
    assert_eq!(w.store.count_messages(ann.id).await.unwrap(), 4);
}

async fn conversations_come_newest_first_in_pages(w: World) {
    let ann = w.user("ann").await;
    for i in 0..5u64 {
        let peer = w.user(&format!("peer{i}")).await;
        // Two of them at the same moment: the id breaks the tie.
        let new = NewMessage { now: later(i / 2), ..new_message(&peer, &ann, "x", &format!("k{i}")) };
        w.store.send(new).await.unwrap();
    }
    let mut peers = Vec::new();
    let mut after = None;
    loop {
        let page = w.store.conversations(ann.id, Which::All, after, 2).await.unwrap();
        assert_eq!(page.head, w.store.head(ann.id).await.unwrap());
        peers.extend(page.conversations.into_iter().map(|c| c.peer));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(peers, ["peer4", "peer3", "peer2", "peer1", "peer0"]);
}

async fn the_log_is_told_in_order_without_a_gap(w: World) {
    let (ann, bob) = w.pair().await;
    let first = start(&w, &bob).await;
    assert_eq!(w.store.head(bob.id).await.unwrap(), first);
    for i in 0..5 {
        w.send(&ann, &bob, &i.to_string()).await;
    }
    let page = w.store.events(bob.id, first, 100).await.unwrap().unwrap();
    let pos: Vec<_> = page.events.iter().map(|e| e.at.pos).collect();
    assert_eq!(pos, [1, 2, 3, 4, 5]);
    assert_eq!(page.end, w.store.head(bob.id).await.unwrap());
    let Change::MessageCreated { message, unread, .. } = &page.events[4].change else { panic!() };
    assert_eq!((message.body.as_str(), *unread), ("4", Some(5)));
    let anns = w.store.events(ann.id, start(&w, &ann).await, 100).await.unwrap().unwrap();
    let Change::MessageCreated { unread, .. } = &anns.events[0].change else { panic!() };
    assert_eq!(*unread, None);
}

async fn a_page_of_the_log_goes_on_where_it_ended(w: World) {
    let (ann, bob) = w.pair().await;
    let mut at = start(&w, &bob).await;
    for i in 0..7 {
        w.send(&ann, &bob, &i.to_string()).await;
    }
    let mut told = Vec::new();
    loop {
        let page = w.store.events(bob.id, at, 3).await.unwrap().unwrap();
        assert!(page.events.len() <= 3);
        told.extend(page.events.iter().map(|e| e.at.pos));
        at = page.end;
        if !page.more {
            break;
        }
    }
    assert_eq!(told, [1, 2, 3, 4, 5, 6, 7]);
    let rest = w.store.events(bob.id, at, 3).await.unwrap().unwrap();
    assert_eq!((rest.events.len(), rest.end, rest.more), (0, at, false));
}

async fn a_place_with_another_tag_is_refused(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&ann, &bob, "x").await;
    w.send(&ann, &bob, "y").await;
    let head = w.store.head(bob.id).await.unwrap();
    assert!(w.store.events(bob.id, head, 10).await.unwrap().is_some());
    let forged = Position { tag: head.tag ^ 1, ..head };
    assert_eq!(w.store.events(bob.id, forged, 10).await.unwrap(), None);
    let anns = w.store.head(ann.id).await.unwrap();
    assert_eq!(w.store.events(bob.id, anns, 10).await.unwrap(), None, "the tag of another user");
}

async fn a_place_beyond_the_head_is_refused(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&ann, &bob, "x").await;
    let head = w.store.head(bob.id).await.unwrap();
    let beyond = Position { pos: head.pos + 1, ..head };
    assert_eq!(w.store.events(bob.id, beyond, 10).await.unwrap(), None);
}

async fn a_pruned_log_is_refused_behind_its_start(w: World) {
    let (ann, bob) = w.pair().await;
    let first = start(&w, &bob).await;
    for _ in 0..5 {
        w.send(&ann, &bob, "x").await;
    }
    w.store.prune_events(Timestamp(0), 2).await.unwrap();
    assert_eq!(w.store.events(bob.id, first, 10).await.unwrap(), None);
    let head = w.store.head(bob.id).await.unwrap();
    assert!(w.store.events(bob.id, head, 10).await.unwrap().is_some());
}

async fn a_log_with_a_hole_is_refused(w: World) {
    let (ann, bob) = w.pair().await;
    let first = start(&w, &bob).await;
    for _ in 0..5 {
        w.send(&ann, &bob, "x").await;
    }
    assert!(w.store.events(bob.id, first, 10).await.unwrap().is_some());
    match &w.home {
        Home::Sql(..) => w.sql(&format!("DELETE FROM events WHERE user_id = {} AND pos = 3", bob.id)).await,
        Home::Memory(store) => store.make_hole(bob.id, 3),
    }
    assert_eq!(w.store.events(bob.id, first, 10).await.unwrap(), None);
}

async fn pruning_keeps_the_newest(w: World) {
    let (ann, bob) = w.pair().await;
    for _ in 0..5 {
        w.send(&ann, &bob, "x").await;
    }
    let head = w.store.head(bob.id).await.unwrap();
    assert!(w.store.prune_events(later(1), 1000).await.unwrap() > 0);
    assert_eq!(w.store.prune_events(later(1), 1000).await.unwrap(), 0);
    assert_eq!(w.store.head(bob.id).await.unwrap(), head);
    assert!(w.store.events(bob.id, head, 10).await.unwrap().is_some());
    w.send(&ann, &bob, "y").await;
    assert_eq!(w.log(&bob, head).await.len(), 1);
}

async fn heads_of_many_users(w: World) {
    let (ann, bob) = w.pair().await;
    w.send(&ann, &bob, "x").await;
    w.send(&ann, &ann, "x").await;
    let mut asked = vec![ann.id, 424_242, bob.id];
    asked.extend(1_000_000..1_000_300);
    let mut heads = w.store.heads(&asked).await.unwrap();
    heads.sort_unstable_by_key(|(user, _)| *user);
    let [anns, bobs] = [w.store.head(ann.id).await.unwrap(), w.store.head(bob.id).await.unwrap()];
    assert_eq!((anns.pos, bobs.pos), (2, 1));
    assert_eq!(heads, [(ann.id, anns), (bob.id, bobs)]);
    assert_eq!(w.store.heads(&[]).await.unwrap(), []);
}

async fn somebody_elses_message_is_not_there(w: World) {
    let (ann, bob) = w.pair().await;
    let carol = w.user("carol").await;
    let id = w.send(&ann, &bob, "secret").await.message.id;
    assert!(w.store.message(bob.id, id).await.unwrap().is_some(), "need one who may read it");
    assert_eq!(w.store.message(carol.id, id).await.unwrap(), None);
    assert_eq!(w.store.head(carol.id).await.unwrap().pos, 0);
    assert_eq!(w.store.messages_of(carol.id, 0, 10).await.unwrap(), []);
}

fn session(user: &User, token: &str) -> Session {
    Session {
        token_hash: format!("{token:0>64}"),
        user: user.id,
        created_at: NOW,
        expires_at: later(100),
        user_agent: "test".to_owned(),
        last_used_at: NOW,
    }
}

async fn sessions_end_and_expire(w: World) {
    let ann = w.user("ann").await;
    let s = session(&ann, "a1");
    w.store.add_session(&s).await.unwrap();
    let (found, user) = w.store.session(&s.token_hash, NOW).await.unwrap().unwrap();
    assert_eq!((found, user.id, user.last_login), (s.clone(), ann.id, Some(NOW)));
    assert!(w.store.session(&s.token_hash, later(100)).await.unwrap().is_none());
    let ask = [s.token_hash.clone(), "b".repeat(64)];
    assert_eq!(w.store.live_sessions(&ask, NOW).await.unwrap(), ask[..1]);
    assert_eq!(w.store.live_sessions(&ask, later(100)).await.unwrap(), [] as [String; 0]);
    w.store.end_session(&s.token_hash).await.unwrap();
    w.store.end_session(&s.token_hash).await.unwrap();
    assert!(w.store.session(&s.token_hash, NOW).await.unwrap().is_none());
    let old = session(&ann, "a2");
    w.store.add_session(&old).await.unwrap();
    w.store.remove_expired(later(99)).await.unwrap();
    assert!(w.store.session(&old.token_hash, NOW).await.unwrap().is_some());
    w.store.remove_expired(later(100)).await.unwrap();
    assert!(w.store.session(&old.token_hash, NOW).await.unwrap().is_none());
}

async fn a_deactivated_user_has_no_session(w: World) {
    let ann = w.user("ann").await;
    let s = session(&ann, "a1");
    w.store.add_session(&s).await.unwrap();
    w.store.set_active(ann.id, false).await.unwrap();
    w.store.set_active(ann.id, true).await.unwrap();
    assert!(w.store.session(&s.token_hash, NOW).await.unwrap().is_none());
    w.store.set_active(ann.id, false).await.unwrap();
    let refused = w.store.add_session(&session(&ann, "a2")).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
}

async fn a_new_password_ends_the_other_sessions(w: World) {
    let ann = w.user("ann").await;
    let (mine, other) = (session(&ann, "a1"), session(&ann, "a2"));
    w.store.add_session(&mine).await.unwrap();
    w.store.add_session(&other).await.unwrap();
    w.store.set_password_hash(ann.id, "new", Some(&mine.token_hash)).await.unwrap();
    assert!(w.store.session(&mine.token_hash, NOW).await.unwrap().is_some());
    assert!(w.store.session(&other.token_hash, NOW).await.unwrap().is_none());
    let hash = async || w.store.user_and_hash(&UserKey::new("ann").unwrap()).await.unwrap().unwrap().1;
    assert_eq!(hash().await, "new");
    w.store.rehash(ann.id, "old", "stale").await.unwrap();
    assert_eq!(hash().await, "new");
    w.store.rehash(ann.id, "new", "newer").await.unwrap();
    assert_eq!(hash().await, "newer");
}

fn allowance(name: &str) -> Allowance {
    Allowance { name: format!("{name:0>64}"), cost_micros: 1_000_000, burst_micros: 3_000_000 }
}

async fn an_allowance_runs_out_and_comes_back(w: World) {
    let (a, b) = (allowance("a"), allowance("b"));
    for _ in 0..3 {
        assert_eq!(w.store.take(&[a.clone(), b.clone()], NOW).await.unwrap(), Ok(()));
    }
    assert_eq!(w.store.take(std::slice::from_ref(&a), NOW).await.unwrap(), Err(1_000_000));
    // Refused as a whole: `c` is not charged.
    assert!(w.store.take(&[allowance("c"), a.clone()], NOW).await.unwrap().is_err());
    for _ in 0..3 {
        assert_eq!(w.store.take(&[allowance("c")], NOW).await.unwrap(), Ok(()));
    }
    assert_eq!(w.store.take(std::slice::from_ref(&a), later(1)).await.unwrap(), Ok(()));
    assert!(w.store.take(std::slice::from_ref(&a), later(1)).await.unwrap().is_err());
    w.store.make_whole(&a.name, later(1)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(w.store.take(std::slice::from_ref(&a), later(1)).await.unwrap(), Ok(()));
    }
    assert!(w.store.take(std::slice::from_ref(&a), later(1)).await.unwrap().is_err(), "whole, and no more than that");
}

async fn an_allowance_is_exact_under_contention(w: World) {
    let other = w.another_store().await;
    let tries = (0..24usize).map(|i| {
        let store = if i % 2 == 0 { w.store.clone() } else { other.clone() };
        tokio::spawn(async move { store.take(&[allowance("x"), allowance("y")], NOW).await.unwrap().is_ok() })
    });
    let mut taken = 0;
    for attempt in tries.collect::<Vec<_>>() {
        taken += usize::from(attempt.await.unwrap());
    }
    assert_eq!(taken, 3);
}

/// Three in a row; many a minute, for the account and for the address.
fn attempt() -> Try {
    let many = |name: &str| Allowance { burst_micros: 100_000_000, ..allowance(name) };
    Try { a_minute: vec![many("account"), many("zaddress")], in_a_row: allowance("row"), network: "a".repeat(64) }
}

async fn a_right_try_gives_back_the_minute_and_ends_the_row(w: World) {
    let attempt = attempt();
    let charges = attempt.charges();
    for _ in 0..3 {
        assert_eq!(w.store.take(&charges, NOW).await.unwrap(), Ok(()));
    }
    assert_eq!(w.store.take(&charges, NOW).await.unwrap(), Err(1_000_000));
    w.store.was_right(&attempt, NOW, later(60)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(w.store.take(std::slice::from_ref(&attempt.in_a_row), NOW).await.unwrap(), Ok(()));
    }
    assert!(w.store.take(std::slice::from_ref(&attempt.in_a_row), NOW).await.unwrap().is_err());
    // Three were taken, the refused one was not, one was given back: 98 seconds are left, and the second of slack.
    for one in &attempt.a_minute {
        let rest = Allowance { cost_micros: 99_000_000, ..one.clone() };
        let over = Allowance { cost_micros: 99_000_001, ..one.clone() };
        assert_eq!(w.store.take(&[over], NOW).await.unwrap(), Err(1_000_001));
        assert_eq!(w.store.take(&[rest], NOW).await.unwrap(), Ok(()));
    }
}

async fn a_sign_in_is_whole_or_not_at_all(w: World) {
    let ann = w.user("ann").await;
    let attempt = attempt();
    for _ in 0..3 {
        assert_eq!(w.store.take(&attempt.charges(), NOW).await.unwrap(), Ok(()));
    }
    w.store.set_active(ann.id, false).await.unwrap();
    let refused = w.store.sign_in(&attempt, &session(&ann, "a1"), later(60)).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    assert!(!w.store.is_known(&attempt.network, NOW).await.unwrap());
    assert!(w.store.take(&attempt.charges(), NOW).await.unwrap().is_err(), "nothing was given back");
    w.store.set_active(ann.id, true).await.unwrap();
    let s = session(&ann, "a2");
    w.store.sign_in(&attempt, &s, later(60)).await.unwrap();
    assert_eq!(w.store.session(&s.token_hash, NOW).await.unwrap().unwrap().1.last_login, Some(NOW));
    assert!(w.store.is_known(&attempt.network, NOW).await.unwrap());
    assert_eq!(w.store.take(&attempt.charges(), NOW).await.unwrap(), Ok(()), "the row begins anew");
}

async fn a_network_is_known_for_its_time(w: World) {
    let attempt = attempt();
    let known = async |at| w.store.is_known(&attempt.network, at).await.unwrap();
    assert_eq!(w.store.take(&attempt.charges(), NOW).await.unwrap(), Ok(()));
    assert!(!known(NOW).await, "a try alone makes nothing known");
    w.store.was_right(&attempt, NOW, later(100)).await.unwrap();
    assert!(known(later(99)).await && !known(later(100)).await);
    assert!(!w.store.is_known(&"b".repeat(64), NOW).await.unwrap());
    w.store.was_right(&attempt, later(50), later(150)).await.unwrap();
    w.store.remove_expired(later(149)).await.unwrap();
    assert!(known(later(149)).await, "known anew from each sign-in on");
    w.store.remove_expired(later(150)).await.unwrap();
    assert!(!known(NOW).await, "its row is gone");
}

async fn repair_restores_the_list(w: World) {
    let (ann, bob) = w.pair().await;
    for _ in 0..3 {
        w.send(&bob, &ann, "x").await;
        w.send(&ann, &bob, "y").await;
    }
    w.store.mark(ann.id, bob.id, (Mark::Read, 2), NOW).await.unwrap();
    let right = w.store.conversation(ann.id, bob.id).await.unwrap().unwrap().0;
    assert_eq!(w.store.repair_conversations(ann.id).await.unwrap(), 0);
    w.sql("UPDATE user_conversations SET last_seq = 1, peer_sent = 9, peer_sent_read = 5").await;
    assert_eq!(w.store.repair_conversations(ann.id).await.unwrap(), 1);
    assert_eq!(w.store.conversation(ann.id, bob.id).await.unwrap().unwrap().0, right);
}

async fn history_is_numbered_like_sends(w: World) {
    let (ann, bob) = w.pair().await;
    let history: Vec<_> = (0..300u64)
        .map(|i| {
            let (from, to) = if i % 3 == 0 { (&ann, &bob) } else { (&bob, &ann) };
            NewMessage { now: later(i), ..new_message(from, to, &i.to_string(), &format!("h{i}")) }
        })
        .collect();
    w.store.add_history(&history).await.unwrap();
    assert_eq!(w.unread(&ann, &bob).await, (200, 0));
    assert_eq!(w.store.head(ann.id).await.unwrap().pos, 0);
    assert_eq!(w.send(&ann, &bob, "now").await.message.seq, 301);
    assert_eq!(w.store.repair_conversations(ann.id).await.unwrap(), 0);
}

async fn nothing_weakens_durability(w: World) {
    assert_eq!(w.store.durability_warnings().await.unwrap(), [] as [String; 0]);
    let (store, database) = w.sql_home();
    if database.url.starts_with("sqlite:") {
        // Read on the writer's own connection: the setting is per connection.
        assert_eq!(store.writer_pragma("PRAGMA synchronous").await.unwrap(), "2");
        assert_eq!(store.writer_pragma("PRAGMA journal_mode").await.unwrap(), "wal");
    }
}

async fn epoch_and_install_stay(w: World) {
    let again = w.another_store().await;
    assert_eq!(again.epoch(), w.store.epoch());
    assert_eq!(again.install(), w.store.install());
    let other = Database::new(w.sql_home().1.backend).await;
    assert_ne!(other.store().await.epoch(), w.store.epoch());
}
