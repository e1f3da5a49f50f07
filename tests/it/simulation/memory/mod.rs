//! A database in memory for the simulation. It says of itself what the SQL says: a write locks the heads of its people
//! in ascending order, reads, numbers, and is committed as a whole or not at all; a read is one statement at one
//! moment. Between any two of those steps others may go first, and the simulated world may cut the connection.
//!
//! It is held to what it claims: `tests/it/conformance/store.rs` runs on it as on every database, except for what it
//! leaves out (sessions, limits, passwords, migrations). It is never part of the program.

mod changing;
mod reading;
mod tables;
mod transaction;
mod unmodelled;
mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chatd::domain::{
    Epoch, NamePrefix, NewUser, PeoplePage, Place, Position, Sharing, Timestamp, User, UserId, UserKey, places,
};
use chatd::store::{MigrationStatus, Rule, Store, StoreError, Users};

use super::bugs::Bug;
use super::scheduler::{Sim, lock};
use tables::LogRow;
pub use tables::Tables;
pub use transaction::Database;
use transaction::Fault;

/// One process's store over a database that it may share.
pub struct MemoryStore {
    pub database: Arc<Database>,
}

impl MemoryStore {
    pub fn new(database: &Arc<Database>) -> Arc<Self> {
        Arc::new(Self { database: database.clone() })
    }

    /// A store of its own, in a world where nothing goes wrong.
    pub fn alone(seed: u64) -> Arc<Self> {
        Self::new(&Database::new(&Sim::new(seed, false), None))
    }

    /// The place at which a user's log starts, if it is still there.
    pub fn start_of_log(&self, user: UserId) -> Option<Position> {
        let inner = lock(&self.database.inner);
        inner.tables.log.get(&(user, 0)).map(|row| Position { pos: 0, tag: row.tag })
    }

    /// Damages a log.
    pub fn make_hole(&self, user: UserId, pos: i64) {
        lock(&self.database.inner).tables.log.remove(&(user, pos));
    }

    fn has(&self, bug: Bug) -> bool {
        self.database.has(bug)
    }

    /// A statement that reads.
    async fn read<T>(&self, of: impl Fn(&Tables) -> T) -> Result<T, StoreError> {
        self.database.read(None, of).await.map_err(Fault::into_error)
    }

    fn tag(&self) -> i64 {
        self.database.sim.random().cast_signed()
    }
}

#[async_trait]
impl Users for MemoryStore {
    async fn add_user(&self, new: &NewUser, now: Timestamp) -> Result<User, StoreError> {
        self.database.sim.pause().await;
        let tag = self.tag();
        let tables = &mut lock(&self.database.inner).tables;
        let key = new.username.key();
        if tables.users.values().any(|(_, taken, _)| *taken == key) {
            return Err(StoreError::Conflict(Rule::Username));
        }
        let id = tables.users.last_key_value().map_or(1, |(id, _)| id + 1);
        let user = User {
            id,
            username: new.username.as_str().to_owned(),
            email: new.email.clone(),
            is_active: true,
            is_staff: new.is_staff,
            is_superuser: new.is_superuser,
            date_joined: now,
            last_login: None,
            sharing: Sharing::default(),
        };
        tables.users.insert(id, (user.clone(), key, new.password_hash.clone()));
        tables.heads.insert(id, Position { pos: 0, tag });
        tables.log.insert((id, 0), LogRow { tag, kind: 0, conversation: 0, seq: 0, created_at: now });
        Ok(user)
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(|tables| tables.users.get(&id).map(|(user, ..)| user.clone())).await
    }

    async fn user_and_hash(&self, key: &UserKey) -> Result<Option<(User, String)>, StoreError> {
        let found = |tables: &Tables| {
            let (user, _, hash) = tables.users.values().find(|(_, taken, _)| taken == key)?;
            Some((user.clone(), hash.clone()))
        };
        self.read(found).await
    }

    async fn user_by_key(&self, key: &UserKey) -> Result<Option<User>, StoreError> {
        Ok(self.user_and_hash(key).await?.map(|(user, _)| user))
    }

    async fn users_after(&self, after: UserId, limit: i64) -> Result<Vec<User>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(0);
        let found = |tables: &Tables| {
            let behind = tables.users.range(after + 1..).map(|(_, (user, ..))| user.clone());
            behind.take(limit).collect()
        };
        self.read(found).await
    }

    async fn has_more_users_than(&self, most: i64) -> Result<bool, StoreError> {
        self.read(|tables| i64::try_from(tables.users.len()).unwrap_or(0) > most).await
    }

    async fn people(
        &self,
        me: UserId,
        prefix: &NamePrefix,
        after: Option<&Place>,
        limit: i64,
    ) -> Result<PeoplePage, StoreError> {
        let ((from, to), limit) = (prefix.bounds(), usize::try_from(limit).unwrap_or(0));
        let found = |tables: &Tables| {
            let people = tables.users.values().filter(|(user, ..)| user.is_active && user.id != me);
            let named = people.flat_map(|(user, key, _)| {
                places(user.id, key, "").into_iter().map(|(part, place)| (part, place, user.clone()))
            });
            let wanted = named.filter(|(part, place, _)| {
                let behind = after.is_none_or(|after| place > after);
                prefix.parts().contains(part) && place.0 > from && place.0 < to && behind
            });
            let sorted: BTreeMap<_, _> = wanted.map(|(_, place, user)| (place, user)).collect();
            let next = sorted.keys().take(limit).next_back().filter(|_| sorted.len() > limit).cloned();
            PeoplePage { people: sorted.into_values().take(limit).collect(), next }
        };
        self.read(found).await
    }

    async fn has_superuser(&self) -> Result<bool, StoreError> {
        self.read(|tables| tables.users.values().any(|(user, ..)| user.is_superuser)).await
    }

    async fn set_password_hash(&self, _: UserId, _: &str, _: Option<&str>) -> Result<(), StoreError> {
        unmodelled::answer()
    }

    async fn rehash(&self, _: UserId, _: &str, _: &str) -> Result<(), StoreError> {
        unmodelled::answer()
    }

    async fn set_active(&self, id: UserId, active: bool) -> Result<(), StoreError> {
        self.database.sim.pause().await;
        let tables = &mut lock(&self.database.inner).tables;
        tables.users.get_mut(&id).ok_or(StoreError::NotFound)?.0.is_active = active;
        Ok(())
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn epoch(&self) -> Epoch {
        Epoch(1)
    }

    fn install(&self) -> &'static str {
        "memory"
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|_| ()).await
    }

    async fn durability_warnings(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    async fn migration_status(&self) -> Result<MigrationStatus, StoreError> {
        unmodelled::answer()
    }
}
