//! What a person does on one device, one thing after the other, and what must be true of each answer.

use std::sync::Arc;

use chatd::chat::{ChatError, Letter};
use chatd::domain::{Body, ClientId, Cursor, Edit, Epoch, Mark, Position, Sent, Seq, Slice, User};
use chatd::store::{Rule, StoreError, Which};

use super::bugs::Bug;
use super::record::{Acknowledged, Floor, Op, key};
use super::scheduler::lock;
use super::world::World;

/// Does `much` things.
pub async fn act(world: Arc<World>, me: User, much: u64) {
    for _ in 0..much {
        world.sim.sleep(world.sim.below(600)).await;
        let peer = world.sim.pick(&world.people).clone();
        match world.sim.below(18) {
            0..=7 => world.send(&me, &peer).await,
            8..=9 => world.read_on(&me, &peer).await,
            10..=11 => world.list(&me).await,
            12 => world.look_back(&me, &peer).await,
            13 => world.send_again(&me).await,
            14 => world.send_other_content(&me).await,
            15..=16 => world.change(&me).await,
            _ => world.pry(&me, &peer).await,
        }
    }
    world.busy.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
}

/// What came of one try.
enum Outcome {
    Ok(Sent),
    /// Nothing was applied.
    Fail,
    /// It may have been applied, or may yet be.
    Unknown,
    Refused(ChatError),
}

impl World {
    async fn try_send(&self, op: &Op, body: &str, key: Option<&str>) -> Outcome {
        let body = Body::new(body, 1000).expect("a short body");
        let key = key.map(|key| ClientId::new(key).expect("a short key"));
        let (sender, to) = (op.sender, op.recipient_name.clone());
        let answer = self
            .ask(self.any_place(), |chat| async move {
                chat.send(sender, Letter { recipient: &to, body, key, reply_to: None }).await
            })
            .await;
        match answer {
            Some(Ok(sent)) => Outcome::Ok(sent),
            Some(Err(ChatError::Store(StoreError::Unavailable(_)))) => Outcome::Fail,
            None | Some(Err(ChatError::Store(StoreError::OutcomeUnknown(_)))) => Outcome::Unknown,
            Some(Err(e)) => Outcome::Refused(e),
        }
    }

    /// Sends a message, again and again under one key until it is acknowledged or patience ends.
    pub async fn send(&self, me: &User, peer: &User) {
        let number = lock(&self.record).ops.len();
        let with_key = self.sim.below(8) > 0;
        let mut op = Op {
            sender: me.id,
            recipient: peer.id,
            recipient_name: peer.username.clone(),
            key: with_key.then(|| key(&self.sim, number)),
            invoked: self.sim.step(),
            acknowledged: None,
            failed: true,
        };
        lock(&self.record).ops.push(op.clone());
        self.sim.tell(|| format!("{} sends {} to {}", me.username, Op::body(number), peer.username));
        for tries in 0..8 {
            if tries > 0 && self.has(Bug::RetryWithTheKeyForgotten) {
                op.key = Some(key(&self.sim, number));
                lock(&self.record).ops[number].key = op.key.clone();
            }
            let lineage = self.database.lineage();
            // Until the answer is there it may take effect at any time.
            let certain = std::mem::replace(&mut lock(&self.record).ops[number].failed, false);
            let outcome = self.try_send(&op, &Op::body(number), op.key.as_deref()).await;
            match outcome {
                Outcome::Ok(sent) => return self.acknowledged(number, &sent, lineage),
                Outcome::Fail => lock(&self.record).ops[number].failed = certain,
                Outcome::Unknown => {}
                Outcome::Refused(e) => {
                    return self.sim.fail(format!("I18 definite errors: {} got {e}", Op::body(number)));
                }
            }
            // Without a key a second try would be a second message.
            if op.key.is_none() || self.sim.goes_wrong(4) {
                return;
            }
            self.sim.sleep(self.sim.below(800)).await;
        }
    }

    fn acknowledged(&self, number: usize, sent: &Sent, lineage: u64) {
        let m = &sent.message;
        self.sim.tell(|| format!("op {number} is acknowledged: number {} of conversation {}", m.seq, m.conversation));
        let op = lock(&self.record).ops[number].clone();
        // It is told as it is now.
        let said = m.version > 1 || m.body == Op::body(number);
        let right = (m.sender, m.recipient) == (op.sender, op.recipient) && said;
        self.must(right && m.client_id == op.key, || format!("I15 idempotent replay: {op:?} was answered with {m:?}"));
        let unbroken = lineage == self.database.lineage();
        if let Some(before) = op.acknowledged.filter(|before| unbroken && before.lineage == lineage) {
            self.must((before.id, before.seq) == (m.id, m.seq), || {
                format!("I15 idempotent replay: op {number} was {before:?} and is {m:?}")
            });
        }
        let acknowledged =
            Acknowledged { step: self.sim.step(), id: m.id, seq: m.seq, conversation: m.conversation, lineage };
        if op.acknowledged.is_none() {
            lock(&self.record).ops[number].acknowledged = Some(acknowledged);
        }
        if unbroken {
            self.saw(lineage, op.sender, m);
            self.raise_floor(lineage, op.sender, |floor| Floor::raise(&mut floor.last_seq, m.conversation, m.seq));
        }
    }

    /// Sends an acknowledged message once more, as a client does that did not hear the answer.
    async fn send_again(&self, me: &User) {
        let Some((number, op)) = self.own_op(me) else { return };
        let lineage = self.database.lineage();
        match self.try_send(&op, &Op::body(number), op.key.as_deref()).await {
            Outcome::Ok(sent) => self.acknowledged(number, &sent, lineage),
            Outcome::Fail | Outcome::Unknown => {}
            Outcome::Refused(e) => self.sim.fail(format!("I15 idempotent replay: op {number} again got {e}")),
        }
    }

    /// Uses an acknowledged message's key for something else.
    async fn send_other_content(&self, me: &User) {
        // After it was put back the key may be free again.
        let Some((number, op)) = self.own_op(me).filter(|_| !self.puts_back) else { return };
        match self.try_send(&op, "other content", op.key.as_deref()).await {
            Outcome::Refused(ChatError::Store(StoreError::Conflict(Rule::ClientId)))
            | Outcome::Fail
            | Outcome::Unknown => {}
            Outcome::Ok(_) | Outcome::Refused(_) => {
                self.sim.fail(format!("I15 idempotent replay: the key of op {number} was taken for other content"));
            }
        }
    }

    /// Edits or deletes an acknowledged message.
    async fn change(&self, me: &User) {
        // After the database was put back its number may be another message's.
        let Some((number, op)) = self.own_op(me).filter(|_| !self.puts_back) else { return };
        let Some(Acknowledged { id: message, .. }) = op.acknowledged else { return };
        let edit = if self.sim.below(4) == 0 {
            Edit::Delete
        } else {
            Edit::Body(Body::new(&Op::edited(number, self.sim.below(1000)), 1000).expect("a short body"))
        };
        let (id, asked) = (me.id, edit.clone());
        self.sim.tell(|| format!("{} makes {edit:?} of op {number}", me.username));
        let answer = self.ask(self.any_place(), |chat| async move { chat.change(id, message, asked).await }).await;
        match answer {
            Some(Ok(now)) => {
                let as_asked = match &edit {
                    Edit::Delete => now.deleted_at.is_some() && now.body.is_empty(),
                    Edit::Body(body) => now.body == body.as_str(),
                };
                self.must(as_asked, || format!("I2 no ghost: {edit:?} of op {number} was answered with {now:?}"));
                let lineage = self.database.lineage();
                self.saw(lineage, me.id, &now);
                let mut record = lock(&self.record);
                let newest = record.changed.entry(message).or_insert_with(|| now.clone());
                if now.version > newest.version {
                    *newest = now;
                }
            }
            None
            | Some(Err(
                ChatError::Deleted | ChatError::Store(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_)),
            )) => {}
            Some(Err(e)) => self.sim.fail(format!("I18 definite errors: {edit:?} of op {number} got {e}")),
        }
    }

    fn own_op(&self, me: &User) -> Option<(usize, Op)> {
        let record = lock(&self.record);
        let own = record.ops.iter().enumerate().filter(|(_, op)| op.sender == me.id && op.key.is_some());
        let own: Vec<_> = own.filter(|(_, op)| op.acknowledged.is_some()).collect();
        (!own.is_empty()).then(|| *self.sim.pick(&own)).map(|(number, op)| (number, op.clone()))
    }

    async fn read_on(&self, me: &User, peer: &User) {
        let (id, name, seq) = (me.id, peer.username.clone(), Seq::try_from(self.sim.below(8)).unwrap_or(0));
        let mark = *self.sim.pick(&[Mark::Read, Mark::Delivered]);
        let lineage = self.database.lineage();
        let floor = self.floor(lineage, id);
        let answer = self.ask(self.any_place(), |chat| async move { chat.mark(id, &name, (mark, seq)).await }).await;
        let Some(Ok(state)) = answer.filter(|_| lineage == self.database.lineage()) else { return };
        self.sim.tell(|| format!("{} has {mark:?} up to {} with {}: {state:?}", me.username, seq, peer.username));
        let before = floor.read_seq.get(&state.conversation).copied().unwrap_or(0);
        self.must(state.read_seq >= before && state.unread >= 0, || {
            format!("I16 read state: user {id} had read up to {before}, and now it is {state:?}")
        });
        self.raise_floor(lineage, id, |floor| Floor::raise(&mut floor.read_seq, state.conversation, state.read_seq));
    }

    async fn list(&self, me: &User) {
        let id = me.id;
        let lineage = self.database.lineage();
        let floor = self.floor(lineage, id);
        let answer =
            self.ask(self.any_place(), |chat| async move { chat.conversations(id, Which::All, None, 50).await }).await;
        let Some(Ok(page)) = answer.filter(|_| lineage == self.database.lineage()) else { return };
        self.must(page.head.pos >= floor.head, || {
            format!("I13 monotonic reads: user {id} saw the head at {}, and now at {}", floor.head, page.head.pos)
        });
        let shown = |conversation: &i64| page.conversations.iter().find(|c| c.id == *conversation);
        for (conversation, seq) in &floor.last_seq {
            self.must(shown(conversation).is_some_and(|c| c.last_seq >= *seq), || {
                format!(
                    "I12 read-your-writes: user {id} lists {:?} without number {seq} of {conversation}",
                    page.conversations
                )
            });
        }
        for (conversation, seq) in &floor.read_seq {
            self.must(shown(conversation).is_none_or(|c| c.read_seq >= *seq), || {
                format!("I16 read state: user {id} had read {conversation} up to {seq}, and the list has less")
            });
        }
        for message in page.conversations.iter().filter_map(|c| c.last_message.as_ref()) {
            self.saw(lineage, id, message);
        }
        self.raise_floor(lineage, id, |floor| {
            floor.head = floor.head.max(page.head.pos);
            for c in &page.conversations {
                Floor::raise(&mut floor.last_seq, c.id, c.last_seq);
                Floor::raise(&mut floor.read_seq, c.id, c.read_seq);
            }
        });
    }

    async fn look_back(&self, me: &User, peer: &User) {
        let (id, name, seq) = (me.id, peer.username.clone(), Seq::try_from(self.sim.below(12)).unwrap_or(0));
        let part = *self.sim.pick(&[Slice::Before(seq), Slice::After(seq), Slice::Around(seq)]);
        let lineage = self.database.lineage();
        let answer = self.ask(self.any_place(), |chat| async move { chat.history(id, &name, part, 4).await }).await;
        let Some(Ok(history)) = answer.filter(|_| lineage == self.database.lineage()) else { return };
        history.messages.iter().for_each(|message| self.saw(lineage, id, message));
        let falling = history.messages.windows(2).all(|pair| pair[1].seq + 1 == pair[0].seq);
        // Around is two reads: what was stored between them is missed above, never within.
        self.must(falling, || format!("I4 no gap: {part:?} of user {id} is {:?}", history.messages));
    }

    /// Asks for what is not there for this user: other people's messages, cursors that are not its own.
    async fn pry(&self, me: &User, peer: &User) {
        let id = me.id;
        let strange = {
            let record = lock(&self.record);
            let others = record.ops.iter().filter(|op| op.sender != id && op.recipient != id);
            let others: Vec<_> = others.filter_map(|op| op.acknowledged).collect();
            (!others.is_empty() && !self.puts_back).then(|| self.sim.pick(&others).id)
        };
        let message = strange.unwrap_or(1_000_000);
        let answer = self.ask(self.any_place(), |chat| async move { chat.message_for(id, message).await }).await;
        self.must(!matches!(answer, Some(Ok(_))), || format!("I14 privacy: user {id} may see message {message}"));

        let at = lock(&self.database.inner).tables.heads.get(&peer.id).copied();
        let Some(at) = at else { return };
        let (user, epoch) = (peer.id, Epoch(1));
        let beyond = Position { pos: at.pos + 1000, ..at };
        let forged = *self.sim.pick(&[
            Cursor { epoch: Epoch(2), user: id, at },
            Cursor { epoch, user, at: if user == id { beyond } else { at } },
            Cursor { epoch, user: id, at: beyond },
            Cursor { epoch, user: id, at: Position { tag: at.tag ^ 1, ..at } },
        ]);
        let answer = self.ask(self.any_place(), |chat| async move { chat.events(id, &forged, 10).await }).await;
        self.must(!matches!(answer, Some(Ok(_))), || format!("I17 lineage: user {id} was served at {forged:?}"));
    }
}
