//! What a spoiled store passes on as it is.

use async_trait::async_trait;

use super::{Answer, Spoiled};
use crate::domain::{Epoch, NewUser, Timestamp, User, UserId, UserKey};
use crate::store::{MigrationStatus, Store, Users};

#[async_trait]
impl Users for Spoiled {
    async fn add_user(&self, new: &NewUser, now: Timestamp) -> Answer<User> {
        self.inner.add_user(new, now).await
    }
    async fn user(&self, id: UserId) -> Answer<Option<User>> {
        self.inner.user(id).await
    }
    async fn user_and_hash(&self, key: &UserKey) -> Answer<Option<(User, String)>> {
        self.inner.user_and_hash(key).await
    }
    async fn user_by_key(&self, key: &UserKey) -> Answer<Option<User>> {
        self.inner.user_by_key(key).await
    }
    async fn all_users(&self) -> Answer<Vec<User>> {
        self.inner.all_users().await
    }
    async fn people(
        &self,
        me: UserId,
        prefix: &UserKey,
        after: Option<&str>,
        limit: i64,
    ) -> Answer<Vec<(String, User)>> {
        self.inner.people(me, prefix, after, limit).await
    }
    async fn has_superuser(&self) -> Answer<bool> {
        self.inner.has_superuser().await
    }
    async fn set_password_hash(&self, id: UserId, hash: &str, keep: Option<&str>) -> Answer<()> {
        self.inner.set_password_hash(id, hash, keep).await
    }
    async fn rehash(&self, id: UserId, old: &str, new: &str) -> Answer<()> {
        self.inner.rehash(id, old, new).await
    }
    async fn set_active(&self, id: UserId, active: bool) -> Answer<()> {
        self.inner.set_active(id, active).await
    }
}

#[async_trait]
impl Store for Spoiled {
    fn epoch(&self) -> Epoch {
        self.inner.epoch()
    }
    fn install(&self) -> &str {
        self.inner.install()
    }
    async fn ping(&self) -> Answer<()> {
        self.inner.ping().await
    }
    async fn durability_warnings(&self) -> Answer<Vec<String>> {
        self.inner.durability_warnings().await
    }
    async fn migration_status(&self) -> Answer<MigrationStatus> {
        self.inner.migration_status().await
    }
}
