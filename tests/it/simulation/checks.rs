//! What must hold in the end, when everything has healed and nobody does anything any more. Each failure begins with
//! the name that the invariant has in the project's list of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chatd::domain::{ConversationId, Cursor, Epoch, LogPage, Message, Position, Seq, Slice, UserId};
use chatd::store::Which;

use super::memory::Tables;
use super::scheduler::lock;
use super::world::World;

type Histories = BTreeMap<ConversationId, Vec<Message>>;

/// All of it, by the requests that a client would make.
pub async fn check(world: Arc<World>) {
    let tables = world.database.backup();
    let mut all = Histories::new();
    for user in world.people.iter().map(|user| user.id) {
        if world.check_lists(user, &mut all).await.is_none() || world.check_log(user, &tables).await.is_none() {
            return world.sim.fail("I20 liveness: a healed process does not answer".to_owned());
        }
    }
    world.check_messages(&all);
    world.check_sends(&all);
    world.check_devices(&tables, &all);
    world.check_structure(&tables);
}

impl World {
    /// The lists of a user, and the conversations in them.
    async fn check_lists(&self, user: UserId, all: &mut Histories) -> Option<()> {
        let page =
            self.ask(0, |chat| async move { chat.conversations(user, Which::All, None, 50).await }).await?.ok()?;
        for c in page.conversations {
            let (peer, part) = (c.peer.clone(), Slice::After(0));
            let history = self.ask(0, |chat| async move { chat.history(user, &peer, part, 1000).await }).await?.ok()?;
            let mut messages = history.messages;
            messages.reverse();
            let unread =
                messages.iter().filter(|m| m.recipient == user && m.sender != user && m.seq > c.read_seq).count();
            self.must(c.unread == i64::try_from(unread).unwrap_or(0) && (0..=c.last_seq).contains(&c.read_seq), || {
                format!("I16 read state: {unread} are unread for user {user}, and the list says {c:?}")
            });
            let same = all.entry(c.id).or_insert_with(|| messages.clone()) == &messages;
            self.must(same, || format!("I7 immutable: conversation {} is not the same for both", c.id));
        }
        Some(())
    }

    /// The whole log of a user, page by page from its first place on.
    async fn check_log(&self, user: UserId, tables: &Tables) -> Option<()> {
        let rows: Vec<_> = tables.log.range((user, 0)..=(user, i64::MAX)).map(|((_, pos), row)| (*pos, row)).collect();
        let head = tables.heads.get(&user).copied().unwrap_or(Position { pos: 0, tag: 0 });
        let whole = rows.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0);
        let last = rows.last().map(|(pos, row)| Position { pos: *pos, tag: row.tag });
        self.must(whole && last == Some(head), || {
            format!("I9 complete sync: the log of user {user} is {rows:?} under {head:?}")
        });
        let (first, row) = rows.first()?;
        let mut after = Cursor { epoch: Epoch(1), user, at: Position { pos: *first, tag: row.tag } };
        let mut told = vec![*first];
        loop {
            let page = self.ask(0, |chat| async move { chat.events(user, &after, 2).await }).await?;
            let Ok(LogPage { events, end, more }) = page else {
                self.sim.fail(format!("I9 complete sync: user {user} is not served at {after:?}"));
                return Some(());
            };
            told.extend(events.iter().map(|event| event.at.pos));
            after.at = end;
            if !more {
                break;
            }
        }
        self.must(told == rows.iter().map(|(pos, _)| *pos).collect::<Vec<_>>(), || {
            format!("I9 complete sync: user {user} is told {told:?} of {rows:?}")
        });
        if *first == 0 {
            let told: BTreeSet<_> =
                rows.iter().filter(|(_, row)| row.kind == 1).map(|(_, r)| (r.conversation, r.seq)).collect();
            let stored =
                tables.messages.iter().filter(|(_, s)| [s.message.sender, s.message.recipient].contains(&user));
            let stored: BTreeSet<_> = stored.map(|(at, _)| *at).collect();
            self.must(told == stored, || {
                format!("I9 complete sync: the log of user {user} tells {told:?} of {stored:?}")
            });
        }
        Some(())
    }

    fn check_messages(&self, all: &Histories) {
        let mut ids = BTreeSet::new();
        let mut ops = BTreeSet::new();
        let record = lock(&self.record);
        for (conversation, messages) in all {
            let seqs: Vec<_> = messages.iter().map(|m| m.seq).collect();
            let expected: Vec<_> = (1..).take(seqs.len()).collect();
            self.must(seqs == expected, || format!("I4 no gap: conversation {conversation} has {seqs:?}"));
            let timed = messages.windows(2).all(|pair| pair[0].timestamp < pair[1].timestamp);
            self.must(timed, || format!("I4 no gap: time goes back in conversation {conversation}"));
            for message in messages {
                self.must(ids.insert(message.id), || format!("I3 no duplicate: two messages {}", message.id));
                let op = record.op_of(message).and_then(|number| Some((number, record.ops.get(number)?)));
                let Some((number, op)) = op else {
                    self.sim.fail(format!("I2 no ghost: nobody sent {message:?}"));
                    continue;
                };
                self.must(ops.insert(number), || format!("I3 no duplicate: op {number} is stored twice"));
                self.must(!op.failed, || format!("I18 definite errors: op {number} failed, and {message:?} is there"));
                let right = (message.sender, message.recipient) == (op.sender, op.recipient);
                self.must(right, || format!("I2 no ghost: {op:?} became {message:?}"));
                let lost = record.changed.get(&message.id).filter(|changed| {
                    let gone = changed.deleted_at.is_some() && message.deleted_at.is_none();
                    message.version < changed.version || gone
                });
                self.must(lost.is_none(), || format!("I1 no loss: {lost:?} was acknowledged, and is {message:?}"));
            }
        }
    }

    /// Each acknowledged send is there, in the order in which they were acknowledged.
    fn check_sends(&self, all: &Histories) {
        let record = lock(&self.record);
        let stored: BTreeMap<usize, &Message> =
            all.values().flatten().filter_map(|message| Some((record.op_of(message)?, message))).collect();
        let ops = record.ops.clone();
        drop(record);
        let mut kept = Vec::new();
        for (number, op) in ops.iter().enumerate() {
            let Some(acknowledged) = op.acknowledged else { continue };
            if self.was_taken_back(op) {
                continue;
            }
            let found = stored.get(&number);
            let as_said = found.is_some_and(|m| {
                (m.id, m.seq, m.conversation) == (acknowledged.id, acknowledged.seq, acknowledged.conversation)
            });
            self.must(as_said, || {
                format!("I1 no loss: op {number} was acknowledged as {acknowledged:?}, and is {found:?}")
            });
            kept.push((number, op, acknowledged));
        }
        for (number, op, acknowledged) in &kept {
            let overtaken = kept.iter().find(|(_, _, of)| {
                of.conversation == acknowledged.conversation && of.step < op.invoked && of.seq >= acknowledged.seq
            });
            self.must(overtaken.is_none(), || {
                let name = if overtaken.is_some_and(|(_, other, _)| other.sender == op.sender) {
                    "I6 program"
                } else {
                    "I5 real-time"
                };
                format!("{name} order: op {number} is number {} behind {overtaken:?}", acknowledged.seq)
            });
        }
    }

    fn check_devices(&self, tables: &Tables, all: &Histories) {
        for (number, device) in self.devices.iter().enumerate() {
            let device = lock(device).clone();
            let user = device.user;
            self.must(device.online, || format!("I10 eventual delivery: device {number} is not back"));
            let lists = tables.lists.range((user, 0)..=(user, i64::MAX));
            let concerned: BTreeMap<_, _> = lists.map(|((_, conversation), row)| (*conversation, row)).collect();
            if self.is_deceived(number) {
                continue;
            }
            let shown: BTreeSet<_> = device.views.keys().copied().collect();
            self.must(shown == concerned.keys().copied().collect(), || {
                format!("I10 eventual delivery: device {number} of user {user} shows the conversations {shown:?} of {concerned:?}")
            });
            for (conversation, view) in &device.views {
                let held: Vec<_> = view.messages.values().cloned().collect();
                let Some(history) = all.get(conversation) else { continue };
                self.must(&held == history, || {
                    let numbers = |of: &[Message]| of.iter().map(|m| (m.seq, m.body.clone())).collect::<Vec<(Seq, _)>>();
                    format!(
                        "I10 eventual delivery: device {number} of user {user} shows {:?} of conversation {conversation}, which is {:?}",
                        numbers(&held),
                        numbers(history)
                    )
                });
                let Some(row) = concerned.get(conversation) else { continue };
                let peers = tables.lists.get(&(row.peer, *conversation)).map_or(0, |row| row.read_seq);
                let peer = tables.lists.get(&(row.peer, *conversation));
                let delivered = peer.map_or(0, |row| row.delivered_seq.max(row.read_seq));
                let truth = (row.read_seq, peers, delivered, row.peer_sent - row.peer_sent_read);
                let shown = (view.read_seq, view.peer_read_seq, view.peer_delivered_seq, view.unread);
                self.must(shown == truth, || {
                    format!("I16 read state: device {number} shows {view:?} of conversation {conversation}, which is at {truth:?}")
                });
            }
        }
    }

    /// What is kept for speed says what the messages say.
    fn check_structure(&self, tables: &Tables) {
        for ((user, conversation), row) in &tables.lists {
            let messages: Vec<_> = tables
                .messages
                .range((*conversation, 0)..=(*conversation, i64::MAX))
                .map(|(_, s)| &s.message)
                .collect();
            let of_peer = |up_to: Seq| {
                let of_peer = messages.iter().filter(|m| m.sender == row.peer && row.peer != *user && m.seq <= up_to);
                i64::try_from(of_peer.count()).unwrap_or(0)
            };
            let last = messages.last().map(|m| (m.seq, m.timestamp));
            let kept = (Some((row.last_seq, row.last_activity)), row.peer_sent, row.peer_sent_read);
            self.must(kept == (last, of_peer(i64::MAX), of_peer(row.read_seq)), || {
                format!("I22 structural: the list of user {user} has {row:?}, and the last message is {last:?}")
            });
        }
    }
}
