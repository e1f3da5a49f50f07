//! What a spoiled store passes on as it is.

use std::collections::HashMap;

use async_trait::async_trait;

use super::{Answer, Spoiled};
use crate::domain::{
    Attendance, Blocked, ConversationSettings, ConversationSettingsChange, Epoch, Face, NamePrefix, NewReport, NewUser,
    PeoplePage, Place, Profile, ProfileChange, Report, ReportId, Sharing, SharingChange, Timestamp, User, UserId,
    UserKey,
};
use crate::store::{Avatar, Closing, Contacts, MigrationStatus, Presences, Profiles, Reports, Settings, Store, Users};

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
    async fn users_after(&self, after: UserId, limit: i64) -> Answer<Vec<User>> {
        self.inner.users_after(after, limit).await
    }
    async fn has_more_users_than(&self, most: i64) -> Answer<bool> {
        self.inner.has_more_users_than(most).await
    }
    async fn people(&self, me: UserId, prefix: &NamePrefix, after: Option<&Place>, limit: i64) -> Answer<PeoplePage> {
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
impl Settings for Spoiled {
    async fn arrange(
        &self,
        user: UserId,
        peer: UserId,
        change: &ConversationSettingsChange,
        now: Timestamp,
    ) -> Answer<Option<(ConversationSettings, Vec<(UserId, i64)>)>> {
        self.inner.arrange(user, peer, change, now).await
    }
    async fn share(
        &self,
        user: UserId,
        change: SharingChange,
        now: Timestamp,
    ) -> Answer<(Sharing, Vec<(UserId, i64)>)> {
        self.inner.share(user, change, now).await
    }
}

#[async_trait]
impl Presences for Spoiled {
    async fn attendances(&self, users: &[UserId]) -> Answer<Vec<Attendance>> {
        self.inner.attendances(users).await
    }
    async fn note_attendances(&self, notes: &[Attendance]) -> Answer<()> {
        self.inner.note_attendances(notes).await
    }
    async fn peers_among(&self, user: UserId, names: &[UserKey]) -> Answer<Vec<(UserId, String)>> {
        self.inner.peers_among(user, names).await
    }
    async fn hidden_from(&self, users: &[UserId]) -> Answer<Vec<(UserId, UserId)>> {
        self.inner.hidden_from(users).await
    }
}

#[async_trait]
impl Profiles for Spoiled {
    async fn profile(&self, user: UserId) -> Answer<Profile> {
        self.inner.profile(user).await
    }
    async fn faces(&self, users: &[UserId]) -> Answer<HashMap<UserId, Face>> {
        self.inner.faces(users).await
    }
    async fn set_profile(
        &self,
        user: UserId,
        change: &ProfileChange,
        now: Timestamp,
    ) -> Answer<(Profile, Vec<(UserId, i64)>)> {
        self.inner.set_profile(user, change, now).await
    }
    async fn set_avatar(
        &self,
        user: UserId,
        avatar: Option<&Avatar>,
        now: Timestamp,
    ) -> Answer<(Profile, Vec<(UserId, i64)>)> {
        self.inner.set_avatar(user, avatar, now).await
    }
    async fn avatar(&self, name: &str) -> Answer<Option<Vec<u8>>> {
        self.inner.avatar(name).await
    }
}

#[async_trait]
impl Contacts for Spoiled {
    async fn block(&self, user: UserId, peer: UserId, blocked: bool, now: Timestamp) -> Answer<Vec<(UserId, i64)>> {
        self.inner.block(user, peer, blocked, now).await
    }
    async fn blocked(&self, user: UserId) -> Answer<Vec<Blocked>> {
        self.inner.blocked(user).await
    }
    async fn blocks(&self, user: UserId, peer: UserId) -> Answer<bool> {
        self.inner.blocks(user, peer).await
    }
    async fn accept(
        &self,
        user: UserId,
        peer: UserId,
        now: Timestamp,
    ) -> Answer<Option<(ConversationSettings, Vec<(UserId, i64)>)>> {
        self.inner.accept(user, peer, now).await
    }
}

#[async_trait]
impl Reports for Spoiled {
    async fn report(&self, new: &NewReport, now: Timestamp) -> Answer<ReportId> {
        self.inner.report(new, now).await
    }
    async fn reports(&self, open: bool, below: ReportId, limit: i64) -> Answer<Vec<Report>> {
        self.inner.reports(open, below, limit).await
    }
    async fn close_report(&self, id: ReportId, closing: Option<Closing>, now: Timestamp) -> Answer<Option<Report>> {
        self.inner.close_report(id, closing, now).await
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
