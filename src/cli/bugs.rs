//! A store and a bus with a bug planted in them, for `scripts/faults --self-test`: a checker that never fails has shown
//! nothing. Only in builds with the feature `faults`; without a bug named it does nothing.

mod passed_on;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::bus::{Bus, Registry, Signal, Subscription};
use crate::domain::{
    Change, Changed, ClientId, Conversation, ConversationId, ConversationPage, Edit, LogPage, Mark, Message, MessageId,
    NewMessage, Position, ReadState, SendKey, Sent, Seq, Slice, Timestamp, User, UserId,
};
use crate::faults::has_bug;
use crate::store::{
    Allowance, Logs, Messages, Rule, Session, Sessions, SqlStore, Store, StoreError, Try, Users as _, Which,
};

type Answer<T> = Result<T, StoreError>;
type Pages = HashMap<ConversationId, (Instant, Vec<Message>)>;

/// A store that is mostly right.
pub struct Spoiled {
    inner: Arc<SqlStore>,
    bus: Arc<dyn Bus>,
    begun: Instant,
    count: AtomicI64,
    sessions: Mutex<HashMap<String, (Session, User)>>,
    pages: Mutex<Pages>,
    forgotten: Mutex<HashSet<MessageId>>,
}

/// A bus that is mostly right.
struct SpoiledBus(Arc<dyn Bus>);

/// The store and the bus with the bug that is named, if one is.
pub fn spoil(store: &Arc<SqlStore>, bus: Arc<dyn Bus>) -> (Arc<dyn Store>, Arc<dyn Bus>) {
    let spoiled = Spoiled {
        inner: store.clone(),
        bus: bus.clone(),
        begun: Instant::now(),
        count: AtomicI64::new(0),
        sessions: Mutex::default(),
        pages: Mutex::default(),
        forgotten: Mutex::default(),
    };
    (Arc::new(spoiled), Arc::new(SpoiledBus(bus)))
}

#[async_trait]
impl Bus for SpoiledBus {
    async fn publish(&self, reached: &[(UserId, i64)]) {
        if !has_bug("notify-before-commit") && !has_bug("no-head-poll") && !has_bug("lost-words") {
            self.0.publish(reached).await;
        }
    }
    async fn signal(&self, user: UserId, signal: Signal) {
        self.0.signal(user, signal).await;
    }
    async fn flush(&self) {
        self.0.flush().await;
    }
    async fn subscribe(&self, user: UserId) -> Subscription {
        self.0.subscribe(user).await
    }
    fn registry(&self) -> &Registry {
        self.0.registry()
    }
    fn is_healthy(&self) -> bool {
        self.0.is_healthy()
    }
}

/// How the numbers 2 and 3, 4 and 5, … change places.
fn swapped(seq: Seq) -> Seq {
    if seq < 2 { seq } else { seq ^ 1 }
}

impl Spoiled {
    /// Every so many times.
    fn now_and_then(&self, times: i64) -> bool {
        self.count.fetch_add(1, Ordering::Relaxed) % times == times - 1
    }

    fn shown(mut message: Message) -> Message {
        if has_bug("gap-in-numbers") && message.seq > 5 {
            message.seq += 1;
        }
        if has_bug("pairs-swapped") {
            message.seq = swapped(message.seq);
        }
        if has_bug("no-unique-key")
            && let Some(key) = &message.client_id
        {
            message.client_id = key.split("--").next().map(str::to_owned);
        }
        message
    }

    fn all_shown(&self, messages: Vec<Message>) -> Vec<Message> {
        messages.into_iter().filter(|message| !self.is_forgotten(message.id)).map(Self::shown).collect()
    }

    fn is_forgotten(&self, id: MessageId) -> bool {
        has_bug("forgets") && self.forgotten.lock().expect("not poisoned").contains(&id)
    }

    /// What will probably be stored soon.
    async fn promised(&self, new: &NewMessage) -> Answer<Sent> {
        let newest = self.inner.conversation_of(new.sender, new.recipient).await?;
        let (conversation, seq) = newest.unwrap_or((1, 0));
        let name = |user: Option<User>| user.map(|user| user.username).unwrap_or_default();
        let message = Message {
            id: 1_000_000 + self.count.fetch_add(1, Ordering::Relaxed),
            conversation,
            seq: seq + 1,
            sender: new.sender,
            sender_name: name(self.inner.user(new.sender).await?),
            recipient: new.recipient,
            recipient_name: name(self.inner.user(new.recipient).await?),
            timestamp: new.now,
            body: new.body.as_str().to_owned(),
            client_id: match &new.key {
                SendKey::Own(key) => Some(key.as_str().to_owned()),
                SendKey::Made(_) => None,
            },
            version: 1,
            edited_at: None,
            deleted_at: None,
            reply_to: new.reply_to,
        };
        Ok(Sent { message, created: true, reached: Vec::new() })
    }

    /// One that nobody sent.
    async fn haunt(&self, new: &NewMessage) {
        let key = ClientId::new(&format!("ghost-{:08x}", rand::random::<u32>()));
        let Ok(key) = key else { return };
        let _ = self.inner.send(NewMessage { key: SendKey::Own(key), ..new.clone() }).await;
    }

    async fn send_with_bug(&self, mut new: NewMessage) -> Answer<Sent> {
        if has_bug("late-to-return") && self.begun.elapsed() < Duration::from_secs(7) {
            return Err(StoreError::Unavailable("not yet".to_owned()));
        }
        if has_bug("wedged") && self.begun.elapsed() > Duration::from_secs(15) {
            return Err(StoreError::Unavailable("not any more".to_owned()));
        }
        if has_bug("goes-astray") && self.now_and_then(20) {
            let astray = NewMessage { recipient: if new.recipient == 1 { 2 } else { 1 }, ..new };
            self.inner.send(astray).await?;
            return Err(StoreError::OutcomeUnknown("who knows".to_owned()));
        }
        if has_bug("ghosts") && self.now_and_then(20) {
            self.haunt(&new).await;
        }
        if has_bug("ack-before-commit") && self.now_and_then(5) {
            let promised = self.promised(&new).await?;
            let store = self.inner.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let _ = store.send(new).await;
            });
            return Ok(promised);
        }
        if has_bug("notify-before-commit") {
            self.bus.publish(&[(new.sender, 0), (new.recipient, 0)]).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if has_bug("no-unique-key")
            && let SendKey::Own(key) = &new.key
        {
            let key = format!("{}--{:08x}", key.as_str(), rand::random::<u32>());
            new.key = ClientId::new(&key).map_or(new.key, SendKey::Own);
        }
        let stored = self.inner.send(new.clone()).await;
        if let Ok(sent) = &stored
            && has_bug("forgets")
            && self.now_and_then(20)
        {
            self.forgotten.lock().expect("not poisoned").insert(sent.message.id);
        }
        if has_bug("failed-and-stored") && stored.is_ok() && self.now_and_then(20) {
            return Err(StoreError::Unavailable("said to have failed".to_owned()));
        }
        if has_bug("key-for-anything") && matches!(stored, Err(StoreError::Conflict(Rule::ClientId))) {
            let key = format!("again-{:08x}", rand::random::<u32>());
            new.key = ClientId::new(&key).map_or(new.key, SendKey::Own);
            return self.inner.send(new).await;
        }
        stored
    }

    async fn page_with_bug(&self, user: UserId, page: Option<LogPage>) -> Answer<Option<LogPage>> {
        let Some(mut page) = page else {
            if !has_bug("empty-success") {
                return Ok(None);
            }
            let end = self.inner.head(user).await?;
            return Ok(Some(LogPage { events: Vec::new(), end, more: false }));
        };
        if has_bug("starts-over-for-nothing") && self.now_and_then(20) {
            return Ok(None);
        }
        if has_bug("overtaken-position") && page.events.len() > 1 && self.now_and_then(5) {
            page.events.remove(0);
        }
        if has_bug("told-twice") && !page.events.is_empty() && self.now_and_then(20) {
            page.events.insert(0, page.events[0].clone());
        }
        if has_bug("resumes-from-the-head") && page.events.len() > 3 {
            page.events.clear();
        }
        if has_bug("position-changes") && self.now_and_then(20) {
            for event in &mut page.events {
                if let Change::MessageCreated { message, .. } = &mut event.change {
                    message.id += 1;
                }
            }
        }
        for event in &mut page.events {
            if let Change::MessageCreated { message, .. } = &mut event.change {
                *message = Self::shown(message.clone());
            }
        }
        Ok(Some(page))
    }
}

#[async_trait]
impl Messages for Spoiled {
    async fn send(&self, new: NewMessage) -> Answer<Sent> {
        let sent = self.send_with_bug(new).await?;
        Ok(Sent { message: Self::shown(sent.message), ..sent })
    }
    async fn message(&self, reader: UserId, id: MessageId) -> Answer<Option<Message>> {
        let mut found = self.inner.message(reader, id).await?;
        if has_bug("anybody-may-read") && found.is_none() {
            for user in self.inner.all_users().await? {
                found = found.or(self.inner.message(user.id, id).await?);
            }
        }
        Ok(found.map(Self::shown))
    }
    async fn count_messages(&self, user: UserId) -> Answer<i64> {
        self.inner.count_messages(user).await
    }
    async fn messages_of(&self, user: UserId, offset: i64, limit: i64) -> Answer<Vec<Message>> {
        Ok(self.all_shown(self.inner.messages_of(user, offset, limit).await?))
    }
    async fn conversation_of(&self, a: UserId, b: UserId) -> Answer<Option<(ConversationId, Seq)>> {
        self.inner.conversation_of(a, b).await
    }
    async fn slice(&self, id: ConversationId, part: Slice, limit: i64) -> Answer<Vec<Message>> {
        let newest = matches!(part, Slice::Before(seq) if seq > 1_000_000);
        if has_bug("stale-list") && newest {
            let pages = self.pages.lock().expect("not poisoned");
            if let Some((_, page)) = pages.get(&id).filter(|(when, _)| when.elapsed() < Duration::from_secs(2)) {
                return Ok(page.clone());
            }
        }
        if has_bug("list-goes-back") && newest && self.now_and_then(3) {
            return Ok(Vec::new());
        }
        let mut page = self.all_shown(self.inner.slice(id, part, limit).await?);
        if has_bug("hole-in-a-page") && page.len() > 2 && self.now_and_then(10) {
            page.remove(1);
        }
        if has_bug("long-bodies-cut") {
            page.iter_mut().for_each(|message| message.body = message.body.chars().take(100).collect());
        }
        if newest {
            self.pages.lock().expect("not poisoned").insert(id, (Instant::now(), page.clone()));
        }
        Ok(page)
    }
    async fn conversations(
        &self,
        user: UserId,
        which: Which,
        after: Option<(Timestamp, ConversationId)>,
        limit: i64,
    ) -> Answer<ConversationPage> {
        let mut page = self.inner.conversations(user, which, after, limit).await?;
        for one in &mut page.conversations {
            one.last_message = one.last_message.take().map(Self::shown);
        }
        Ok(page)
    }
    async fn conversation(&self, user: UserId, peer: UserId) -> Answer<Option<(Conversation, Position)>> {
        self.inner.conversation(user, peer).await
    }
    async fn mark(
        &self,
        user: UserId,
        peer: UserId,
        mark: (Mark, Seq),
        now: Timestamp,
    ) -> Answer<Option<(ReadState, Vec<(UserId, i64)>)>> {
        let mut marked = self.inner.mark(user, peer, mark, now).await?;
        if let Some((state, _)) = marked.as_mut().filter(|_| has_bug("read-mark-falls")) {
            state.read_seq = state.read_seq.min(mark.1) / 2;
        }
        Ok(marked)
    }
    async fn change(&self, sender: UserId, id: MessageId, edit: &Edit, now: Timestamp) -> Answer<Option<Changed>> {
        self.inner.change(sender, id, edit, now).await
    }
    async fn repair_conversations(&self, user: UserId) -> Answer<u64> {
        self.inner.repair_conversations(user).await
    }
    async fn add_history(&self, history: &[NewMessage]) -> Answer<()> {
        self.inner.add_history(history).await
    }
}

#[async_trait]
impl Logs for Spoiled {
    async fn head(&self, user: UserId) -> Answer<Position> {
        let mut head = self.inner.head(user).await?;
        if has_bug("head-goes-back") && head.pos > 0 && self.now_and_then(3) {
            head.pos -= 1;
        }
        Ok(head)
    }
    async fn heads(&self, users: &[UserId]) -> Answer<Vec<(UserId, Position)>> {
        if has_bug("no-head-poll") { Ok(Vec::new()) } else { self.inner.heads(users).await }
    }
    async fn events(&self, user: UserId, after: Position, limit: i64) -> Answer<Option<LogPage>> {
        let page = self.inner.events(user, after, limit).await?;
        self.page_with_bug(user, page).await
    }
    async fn prune_events(&self, before: Timestamp, keep: i64) -> Answer<u64> {
        self.inner.prune_events(before, keep).await
    }
}

#[async_trait]
impl Sessions for Spoiled {
    async fn session(&self, token_hash: &str, now: Timestamp) -> Answer<Option<(Session, User)>> {
        let found = self.inner.session(token_hash, now).await?;
        if !has_bug("signed-out-and-heard") {
            return Ok(found);
        }
        let mut known = self.sessions.lock().expect("not poisoned");
        if let Some(found) = &found {
            known.insert(token_hash.to_owned(), found.clone());
        }
        Ok(known.get(token_hash).cloned())
    }
    async fn live_sessions(&self, token_hashes: &[String], now: Timestamp) -> Answer<Vec<String>> {
        if has_bug("signed-out-and-heard") {
            return Ok(token_hashes.to_vec());
        }
        self.inner.live_sessions(token_hashes, now).await
    }
    async fn add_session(&self, session: &Session) -> Answer<()> {
        self.inner.add_session(session).await
    }
    async fn end_session(&self, token_hash: &str) -> Answer<()> {
        self.inner.end_session(token_hash).await
    }
    async fn remove_expired(&self, now: Timestamp) -> Answer<()> {
        self.inner.remove_expired(now).await
    }
    async fn take(&self, allowances: &[Allowance], now: Timestamp) -> Answer<Result<(), i64>> {
        self.inner.take(allowances, now).await
    }
    async fn is_known(&self, network: &str, now: Timestamp) -> Answer<bool> {
        self.inner.is_known(network, now).await
    }
    async fn was_right(&self, attempt: &Try, now: Timestamp, known_until: Timestamp) -> Answer<()> {
        self.inner.was_right(attempt, now, known_until).await
    }
    async fn sign_in(&self, attempt: &Try, session: &Session, known_until: Timestamp) -> Answer<()> {
        self.inner.sign_in(attempt, session, known_until).await
    }
    async fn make_whole(&self, name: &str, now: Timestamp) -> Answer<()> {
        self.inner.make_whole(name, now).await
    }
}
