//! Finding people, and all of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Chat, ChatError};
use crate::domain::{Face, NamePrefix, PeoplePage, Place, User, UserId};
use crate::store::Store;

/// So many people at once.
const PART: i64 = 1000;

/// Everybody but one, in parts: however many there are, no more than a part is held.
pub struct Everybody {
    store: Arc<dyn Store>,
    reader: UserId,
    /// None: there are no more.
    after: Option<UserId>,
}

impl Everybody {
    /// The next of them; none at the end. After an error the same part may be asked for again.
    pub async fn part(&mut self) -> Result<Option<Vec<User>>, ChatError> {
        let Some(after) = self.after else { return Ok(None) };
        let mut users = self.store.users_after(after, PART).await?;
        let is_last = i64::try_from(users.len()).unwrap_or(0) < PART;
        self.after = users.last().map(|user| user.id).filter(|_| !is_last);
        users.retain(|user| user.id != self.reader);
        Ok(Some(users))
    }

    /// Whether there may be more.
    pub fn has_more(&self) -> bool {
        self.after.is_some()
    }
}

/// People who were found with what is seen beside their names, and where the next page starts.
#[derive(Debug)]
pub struct Found {
    pub people: Vec<(User, Face)>,
    pub next: Option<Place>,
}

impl Chat {
    /// Everybody but the reader, as the predecessor lists them; [`ChatError::TooMany`] if they are more than `most`.
    pub async fn everybody(&self, reader: UserId, most: i64) -> Result<Everybody, ChatError> {
        // Users are never removed: once too many, always.
        if self.too_many.load(Ordering::Relaxed) || self.store.has_more_users_than(most).await? {
            self.too_many.store(true, Ordering::Relaxed);
            return Err(ChatError::TooMany);
        }
        Ok(Everybody { store: self.store.clone(), reader, after: Some(0) })
    }

    /// Active people of whose names one starts with `prefix`, in pages.
    pub async fn search_people(
        &self,
        reader: UserId,
        prefix: &str,
        after: Option<&Place>,
        limit: i64,
    ) -> Result<Found, ChatError> {
        let PeoplePage { people, next } = self.store.people(reader, &NamePrefix::new(prefix), after, limit).await?;
        Ok(Found { people: self.with_faces(people).await?, next })
    }
}
