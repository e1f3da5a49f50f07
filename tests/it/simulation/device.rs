//! A device: it lists, listens, loses its connection, comes back with its cursor, and starts over when it must. What
//! it shows in the end is what the database holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use chatd::chat::ChatError;
use chatd::domain::{Change, Conversation, ConversationId, Cursor, Epoch, Event, Message, Seq, Slice, UserId};
use chatd::store::Which;
use tokio::sync::mpsc::unbounded_channel;

use super::bugs::Bug;
use super::scheduler::lock;
use super::socket::{Frame, Read, serve};
use super::world::World;

/// A conversation as a device shows it.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub messages: BTreeMap<Seq, Message>,
    pub read_seq: Seq,
    pub peer_read_seq: Seq,
    pub peer_delivered_seq: Seq,
    pub unread: i64,
}

/// What a device holds.
#[derive(Clone, Debug, Default)]
pub struct Device {
    pub user: UserId,
    pub cursor: Option<Cursor>,
    pub views: BTreeMap<ConversationId, View>,
    pub online: bool,
    /// As of when it knows what it knows, for those who know.
    pub read: Read,
}

/// A device's life.
pub async fn live(world: Arc<World>, number: usize) {
    loop {
        world.sim.sleep(1 + world.sim.below(1000)).await;
        if world.is_deceived(number) {
            world.start_over(number, "it was told what the backup does not know");
        }
        if lock(&world.devices[number]).cursor.is_none() && world.take_snapshot(number).await.is_none() {
            continue;
        }
        if world.sim.below(3) == 0 && world.turn_pages(number).await.is_none() {
            continue;
        }
        listen(&world, number).await;
        lock(&world.devices[number]).online = false;
    }
}

/// Listens until the connection is lost or the device is reset.
async fn listen(world: &Arc<World>, number: usize) {
    let (user, mut after) = {
        let device = lock(&world.devices[number]);
        (device.user, device.cursor)
    };
    if world.has(Bug::CursorForgotten) {
        after = None;
    }
    let (out, mut frames) = unbounded_channel();
    let place = world.any_place();
    if !world.inside(place, |chat| serve(world.clone(), chat, user, after, out)) {
        return;
    }
    world.sim.tell(|| format!("device {number} connects to process {place} at {:?}", after.map(|c| c.at.pos)));
    while let Some(frame) = frames.recv().await {
        match frame {
            Frame::Hello => lock(&world.devices[number]).online = true,
            Frame::Event { event, read } => {
                if world.is_deceived(number) {
                    return;
                }
                world.apply(number, &event, read);
                if world.is_deceived(number) {
                    return;
                }
            }
            Frame::Head(cursor) if world.has(Bug::HeadMovesCursor) => {
                lock(&world.devices[number]).cursor = Cursor::decode(&cursor).ok();
            }
            Frame::Head(_) => {}
            Frame::Reset => return world.start_over(number, "it is reset"),
        }
        if world.sim.goes_wrong(20) {
            world.sim.tell(|| format!("device {number} loses its connection"));
            return;
        }
    }
}

impl World {
    /// Whether a device has been told something that the backup, to which the database was put back, does not know,
    /// while its own cursor is one that the backup knows. No cursor can tell; `docs/simulation.md` says more.
    pub fn is_deceived(&self, number: usize) -> bool {
        let device = lock(&self.devices[number]);
        let Some(cursor) = device.cursor else { return false };
        lock(&self.put_backs).iter().filter(|put_back| put_back.lineage > device.read.lineage).any(|put_back| {
            let then = put_back.heads.iter().find(|(user, _)| *user == device.user).map_or(0, |(_, head)| head.pos);
            device.read.head > then && cursor.at.pos <= then
        })
    }

    pub fn start_over(&self, number: usize, why: &str) {
        self.sim.tell(|| format!("device {number} starts over: {why}"));
        let mut device = lock(&self.devices[number]);
        device.cursor = None;
        if !self.has(Bug::ResetKeepsCache) {
            device.views.clear();
        }
    }

    /// Lists everything, as a device that knows nothing does. None if it did not come about.
    async fn take_snapshot(&self, number: usize) -> Option<()> {
        let user = lock(&self.devices[number]).user;
        let lineage = self.database.lineage();
        let page = self
            .ask(self.any_place(), |chat| async move { chat.conversations(user, Which::All, None, 50).await })
            .await?
            .ok()?;
        let mut views = BTreeMap::new();
        for conversation in page.conversations {
            let (peer, all) = (conversation.peer.clone(), Slice::After(0));
            let history = self
                .ask(self.any_place(), |chat| async move { chat.history(user, &peer, all, 1000).await })
                .await?
                .ok()?;
            let messages: BTreeMap<_, _> = history.messages.into_iter().map(|m| (m.seq, m)).collect();
            let Conversation { read_seq, peer_read_seq, peer_delivered_seq, unread, .. } = conversation;
            let view = View { messages, read_seq, peer_read_seq, peer_delivered_seq, unread };
            views.insert(conversation.id, view);
        }
        if lineage != self.database.lineage() {
            return None;
        }
        views.values().flat_map(|view| view.messages.values()).for_each(|message| self.saw(lineage, user, message));
        self.sim.tell(|| format!("device {number} lists everything, at {}", page.head.pos));
        let mut device = lock(&self.devices[number]);
        device.cursor = Some(Cursor { epoch: Epoch(1), user, at: page.head });
        device.views.append(&mut views);
        device.read = Read { lineage, head: self.true_head(user) };
        Some(())
    }

    /// Catches up by pages of events. None if it did not come about.
    async fn turn_pages(&self, number: usize) -> Option<()> {
        loop {
            let (user, after) = {
                let device = lock(&self.devices[number]);
                (device.user, device.cursor?)
            };
            let (lineage, limit) = (self.database.lineage(), 1 + i64::try_from(self.sim.below(3)).unwrap_or(0));
            let page = self.ask(self.any_place(), |chat| async move { chat.events(user, &after, limit).await }).await?;
            if lineage != self.database.lineage() || self.is_deceived(number) {
                return None;
            }
            let page = match page {
                Ok(page) => page,
                Err(ChatError::Reset) => {
                    self.start_over(number, "its cursor cannot be served");
                    return None;
                }
                Err(_) => return None,
            };
            let read = Read { lineage, head: self.true_head(user) };
            page.events.iter().for_each(|event| self.apply(number, event, read));
            if !page.more {
                return Some(());
            }
        }
    }

    /// A device is told an event.
    fn apply(&self, number: usize, event: &Event, read: Read) {
        let mut device = lock(&self.devices[number]);
        let (user, at) = (device.user, event.at);
        let before = device.cursor.map_or(at.pos - 1, |cursor| cursor.at.pos);
        self.sim.tell(|| format!("device {number} is told event {}: {}", at.pos, summary(&event.change)));
        self.must(at.pos == before + 1, || {
            format!("I9 complete sync: device {number} of user {user} is told event {} after {before}", at.pos)
        });
        self.saw_row(read.lineage, user, at);
        if let Some(cursor) = &mut device.cursor {
            cursor.at = at;
        }
        device.read = read;
        match &event.change {
            Change::MessageCreated { message, unread, .. } => {
                self.saw(read.lineage, user, message);
                let view = device.views.entry(message.conversation).or_default();
                self.show(number, view, message);
                view.unread = unread.unwrap_or(view.unread);
                if message.sender == message.recipient {
                    (view.read_seq, view.peer_read_seq, view.unread) = (message.seq, message.seq, 0);
                    view.peer_delivered_seq = message.seq;
                }
            }
            Change::MessageEdited(message) | Change::MessageDeleted(message) => {
                self.saw(read.lineage, user, message);
                let view = device.views.entry(message.conversation).or_default();
                self.show(number, view, message);
            }
            Change::Read(state) => {
                let view = device.views.entry(state.conversation).or_default();
                let falls = state.read_seq < view.read_seq
                    || state.peer_read_seq < view.peer_read_seq
                    || state.peer_delivered_seq < view.peer_delivered_seq;
                self.must(!falls, || format!("I16 read state: device {number} is told {state:?} after {view:?}"));
                (view.read_seq, view.peer_read_seq, view.unread) = (state.read_seq, state.peer_read_seq, state.unread);
                view.peer_delivered_seq = state.peer_delivered_seq;
            }
            Change::Conversation(_) | Change::Sharing(_) | Change::Profile(_) | Change::Blocks | Change::Unknown => {
                self.sim.fail(format!("I9 complete sync: event {} says nothing", at.pos));
            }
        }
    }
}

impl World {
    /// The newest version of a message is what is shown; what is shown of one version is always the same.
    fn show(&self, number: usize, view: &mut View, message: &Message) {
        let shown = view.messages.entry(message.seq).or_insert_with(|| message.clone());
        if message.version > shown.version {
            *shown = message.clone();
        }
        let same = message.version < shown.version || shown == message;
        self.must(same, || {
            format!("I11 exactly-once display: device {number} shows {shown:?} and is told {message:?}")
        });
    }
}

fn summary(change: &Change) -> String {
    match change {
        Change::MessageCreated { message, unread, .. } => {
            format!(
                "{} is number {} of conversation {}, unread {unread:?}",
                message.body, message.seq, message.conversation
            )
        }
        Change::MessageEdited(message) | Change::MessageDeleted(message) => {
            format!("number {} of conversation {} is now {:?}", message.seq, message.conversation, message.body)
        }
        Change::Read(state) => {
            format!("conversation {} is read to {} and {}", state.conversation, state.read_seq, state.peer_read_seq)
        }
        Change::Conversation(_) | Change::Sharing(_) | Change::Profile(_) | Change::Blocks | Change::Unknown => {
            "nothing".to_owned()
        }
    }
}
