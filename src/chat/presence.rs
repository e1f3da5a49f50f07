//! Who is here: what the sockets of this process say of their users, and what they are told of others.
//!
//! The database is what processes share ([`Attendance`]): each moves on what it can vouch for, and reads every few
//! seconds what it shows. Nothing depends on it; a word that is lost is a state that is shown a little late.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::{Chat, ChatError};
use crate::bus::Signal;
use crate::domain::{Attendance, Presence, Timestamp, UserId, UserKey};
use crate::store::StoreError;

/// What is shown is read this often; what sockets say is written at once.
pub(super) const POLL: Duration = Duration::from_secs(5);
/// What happens within this is written together.
const TOGETHER: Duration = Duration::from_millis(200);
/// The most whom one socket may watch.
const MOST_WATCHED: usize = 50;

/// The presence of the users of this process, and of those whom they watch.
#[derive(Clone, Default)]
pub struct Attending {
    inner: Arc<Mutex<Inner>>,
    stirred: Arc<Notify>,
    next: Arc<AtomicU64>,
}

#[derive(Default)]
struct Inner {
    sockets: HashMap<u64, Here>,
    own: HashMap<UserId, Own>,
    watched: HashMap<UserId, Watched>,
    /// Who blocks whom, of those who are watched; looked at again with everybody.
    hidden: HashSet<(UserId, UserId)>,
    /// Of whom something was said since it was written last.
    said: HashSet<UserId>,
    /// Who is watched anew.
    wanted: HashSet<UserId>,
}

/// Whom a look is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Those of whom something is new here: so many as have just done something.
    Stirred,
    /// Everybody whom this process knows: another one may have said something.
    All,
}

/// What one socket says.
struct Here {
    user: UserId,
    active: bool,
    watches: HashMap<UserId, String>,
}

/// A user's sockets in this process.
#[derive(Default)]
struct Own {
    sockets: usize,
    active: usize,
}

/// Somebody who is watched from this process.
#[derive(Default)]
struct Watched {
    /// By whom, with so many sockets.
    by: HashMap<UserId, usize>,
    shown: Shown,
}

/// What was told last of somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shown {
    #[default]
    Nothing,
    /// How they appear; none: they do not show it.
    As(Option<Presence>),
}

impl Inner {
    fn add(&mut self, number: u64, user: UserId) {
        let own = self.own.entry(user).or_default();
        own.sockets += 1;
        own.active += 1;
        self.sockets.insert(number, Here { user, active: true, watches: HashMap::new() });
        self.said.insert(user);
    }

    fn remove(&mut self, number: u64) {
        self.watch(number, HashMap::new());
        let Some(here) = self.sockets.remove(&number) else { return };
        if let Some(own) = self.own.get_mut(&here.user) {
            own.sockets -= 1;
            own.active -= usize::from(here.active);
            if own.sockets == 0 {
                self.own.remove(&here.user);
            }
        }
        self.said.insert(here.user);
    }

    /// Whether anything has changed.
    fn set_active(&mut self, number: u64, active: bool) -> bool {
        let Some(here) = self.sockets.get_mut(&number).filter(|here| here.active != active) else { return false };
        here.active = active;
        let own = self.own.entry(here.user).or_default();
        own.active = if active { own.active + 1 } else { own.active.saturating_sub(1) };
        self.said.insert(here.user);
        true
    }

    fn watch(&mut self, number: u64, watches: HashMap<UserId, String>) {
        let Some(here) = self.sockets.get_mut(&number) else { return };
        for peer in watches.keys() {
            let watched = self.watched.entry(*peer).or_default();
            *watched.by.entry(here.user).or_default() += 1;
            // Those whom others watch already are told to this one too.
            watched.shown = Shown::Nothing;
            self.wanted.insert(*peer);
        }
        for peer in std::mem::replace(&mut here.watches, watches).into_keys() {
            let Some(watched) = self.watched.get_mut(&peer) else { continue };
            if let Some(sockets) = watched.by.get_mut(&here.user) {
                *sockets -= 1;
                if *sockets == 0 {
                    watched.by.remove(&here.user);
                }
            }
            if watched.by.is_empty() {
                self.watched.remove(&peer);
            }
        }
    }
}

impl Attending {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A socket of a user who shares being here; gone when dropped.
    pub fn enter(&self, user: UserId) -> Attendee {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().add(number, user);
        self.stirred.notify_one();
        Attendee { number, user, attending: self.clone() }
    }

    /// Waits until something is to be written, or until `then`, when it is time to look at everybody.
    pub(super) async fn due(&self, then: Instant) -> Look {
        tokio::select! {
            () = self.stirred.notified() => {
                tokio::time::sleep(TOGETHER).await;
                Look::Stirred
            }
            () = tokio::time::sleep_until(then.into()) => Look::All,
        }
    }

    /// Writes what this process knows, reads what it shows, and tells those who watch of what has changed.
    pub(super) async fn look(&self, chat: &Chat, look: Look) -> Result<(), StoreError> {
        // Before anything is taken that would be lost with it.
        if look == Look::All {
            self.hide(chat).await?;
        }
        let (said, users) = {
            let mut inner = self.lock();
            let (said, wanted) = (std::mem::take(&mut inner.said), std::mem::take(&mut inner.wanted));
            let mut users: HashSet<_> = said.union(&wanted).copied().collect();
            if look == Look::All {
                users.extend(inner.watched.keys().chain(inner.own.keys()));
            }
            (said, users)
        };
        if users.is_empty() {
            return Ok(());
        }
        let users: Vec<_> = users.into_iter().collect();
        match self.renew(chat, &said, &users).await {
            Ok(seen) => {
                self.tell(chat, &users, &seen);
                Ok(())
            }
            Err(e) => {
                self.lock().said.extend(said);
                Err(e)
            }
        }
    }

    /// Whoever was blocked since they began to watch sees nothing any more, and who is no longer blocked sees again.
    async fn hide(&self, chat: &Chat) -> Result<(), StoreError> {
        let watched: Vec<_> = self.lock().watched.keys().copied().collect();
        let mut hidden = HashSet::new();
        for users in watched.chunks(1000) {
            hidden.extend(chat.store.hidden_from(users).await?);
        }
        let mut inner = self.lock();
        let watches =
            |(peer, user): &(UserId, UserId)| inner.watched.get(peer).is_some_and(|w| w.by.contains_key(user));
        hidden.retain(watches);
        for (peer, user) in hidden.symmetric_difference(&inner.hidden) {
            chat.bus.registry().signal(*user, Signal::Presence(*peer));
        }
        inner.hidden = hidden;
        Ok(())
    }

    async fn renew(
        &self,
        chat: &Chat,
        said: &HashSet<UserId>,
        users: &[UserId],
    ) -> Result<HashMap<UserId, Presence>, StoreError> {
        let mut seen = HashMap::new();
        for users in users.chunks(1000) {
            let stored = chat.store.attendances(users).await?;
            let now = chat.clock.now();
            let mut notes = Vec::new();
            for stored in stored {
                let note = self.note(&stored, said.contains(&stored.user), now);
                seen.insert(stored.user, note.unwrap_or(stored).seen(now));
                notes.extend(note);
            }
            chat.store.note_attendances(&notes).await?;
        }
        Ok(seen)
    }

    /// What is to be written of somebody.
    fn note(&self, stored: &Attendance, said: bool, now: Timestamp) -> Option<Attendance> {
        let note = match self.lock().own.get(&stored.user).map(|own| own.active > 0) {
            Some(true) => return stored.renewed(true, now),
            Some(false) if said => {
                let away = stored.away(now);
                away.renewed(false, now).unwrap_or(away)
            }
            Some(false) => return stored.renewed(false, now),
            None if said => stored.left(now),
            None => return None,
        };
        (note != *stored).then_some(note)
    }

    /// Tells those who watch what has changed.
    fn tell(&self, chat: &Chat, looked_at: &[UserId], seen: &HashMap<UserId, Presence>) {
        let mut inner = self.lock();
        for peer in looked_at {
            let Some(watched) = inner.watched.get_mut(peer) else { continue };
            let now = Shown::As(seen.get(peer).copied());
            if std::mem::replace(&mut watched.shown, now) != now {
                watched.by.keys().for_each(|user| chat.bus.registry().signal(*user, Signal::Presence(*peer)));
            }
        }
    }
}

/// What a socket says of its user, and whom it watches.
pub struct Attendee {
    number: u64,
    user: UserId,
    attending: Attending,
}

impl Attendee {
    /// Somebody looks, or nobody does.
    pub fn set_active(&self, active: bool) {
        if self.attending.lock().set_active(self.number, active) {
            self.attending.stirred.notify_one();
        }
    }

    /// Watches these from now on, and nobody else: those of them with whom the user has a conversation. How they appear
    /// is told as soon as it has been looked at.
    pub async fn watch(&self, chat: &Chat, names: &[String]) -> Result<(), ChatError> {
        let keys: Vec<_> = names.iter().take(MOST_WATCHED).filter_map(|name| UserKey::new(name)).collect();
        let peers = chat.store.peers_among(self.user, &keys).await?;
        self.attending.lock().watch(self.number, peers.into_iter().collect());
        self.attending.stirred.notify_one();
        Ok(())
    }

    /// The name of somebody whom this socket watches, and how they appear; none for everybody else.
    pub fn shown(&self, peer: UserId) -> Option<(String, Option<Presence>)> {
        let inner = self.attending.lock();
        let name = inner.sockets.get(&self.number)?.watches.get(&peer)?.clone();
        if inner.hidden.contains(&(peer, self.user)) {
            return Some((name, None));
        }
        match inner.watched.get(&peer)?.shown {
            Shown::As(presence) => Some((name, presence)),
            Shown::Nothing => None,
        }
    }
}

impl Drop for Attendee {
    fn drop(&mut self) {
        self.attending.lock().remove(self.number);
        self.attending.stirred.notify_one();
    }
}
