//! What the delivery core does not ask for: sessions, the limits of signing in, and what users arrange for themselves.

use std::collections::HashMap;

use async_trait::async_trait;
use chatd::domain::{
    Attendance, Blocked, ConversationSettings, ConversationSettingsChange, Face, NewReport, Profile, ProfileChange,
    Report, ReportId, Sharing, SharingChange, Timestamp, User, UserId, UserKey,
};
use chatd::store::{
    Allowance, Avatar, Closing, Contacts, Presences, Profiles, Reports, Session, Sessions, Settings, StoreError, Try,
};

use super::MemoryStore;

/// An error that nobody takes for a fault of the simulated world.
pub fn answer<T>() -> Result<T, StoreError> {
    Err(StoreError::Internal("not modelled".to_owned()))
}

#[async_trait]
impl Sessions for MemoryStore {
    async fn add_session(&self, _: &Session) -> Result<(), StoreError> {
        answer()
    }

    async fn session(&self, _: &str, _: Timestamp) -> Result<Option<(Session, User)>, StoreError> {
        answer()
    }

    async fn live_sessions(&self, _: &[String], _: Timestamp) -> Result<Vec<String>, StoreError> {
        answer()
    }

    async fn end_session(&self, _: &str) -> Result<(), StoreError> {
        answer()
    }

    async fn remove_expired(&self, _: Timestamp) -> Result<(), StoreError> {
        answer()
    }

    async fn take(&self, _: &[Allowance], _: Timestamp) -> Result<Result<(), i64>, StoreError> {
        answer()
    }

    async fn is_known(&self, _: &str, _: Timestamp) -> Result<bool, StoreError> {
        answer()
    }

    async fn was_right(&self, _: &Try, _: Timestamp, _: Timestamp) -> Result<(), StoreError> {
        answer()
    }

    async fn sign_in(&self, _: &Try, _: &Session, _: Timestamp) -> Result<(), StoreError> {
        answer()
    }

    async fn make_whole(&self, _: &str, _: Timestamp) -> Result<(), StoreError> {
        answer()
    }
}

#[async_trait]
impl Settings for MemoryStore {
    async fn arrange(
        &self,
        _: UserId,
        _: UserId,
        _: &ConversationSettingsChange,
        _: Timestamp,
    ) -> Result<Option<(ConversationSettings, Vec<(UserId, i64)>)>, StoreError> {
        answer()
    }

    async fn share(
        &self,
        _: UserId,
        _: SharingChange,
        _: Timestamp,
    ) -> Result<(Sharing, Vec<(UserId, i64)>), StoreError> {
        answer()
    }
}

#[async_trait]
impl Presences for MemoryStore {
    async fn attendances(&self, _: &[UserId]) -> Result<Vec<Attendance>, StoreError> {
        answer()
    }

    async fn note_attendances(&self, _: &[Attendance]) -> Result<(), StoreError> {
        answer()
    }

    async fn peers_among(&self, _: UserId, _: &[UserKey]) -> Result<Vec<(UserId, String)>, StoreError> {
        answer()
    }
    async fn hidden_from(&self, _: &[UserId]) -> Result<Vec<(UserId, UserId)>, StoreError> {
        answer()
    }
}

#[async_trait]
impl Profiles for MemoryStore {
    async fn profile(&self, _: UserId) -> Result<Profile, StoreError> {
        answer()
    }

    async fn faces(&self, _: &[UserId]) -> Result<HashMap<UserId, Face>, StoreError> {
        answer()
    }

    async fn set_profile(
        &self,
        _: UserId,
        _: &ProfileChange,
        _: Timestamp,
    ) -> Result<(Profile, Vec<(UserId, i64)>), StoreError> {
        answer()
    }

    async fn set_avatar(
        &self,
        _: UserId,
        _: Option<&Avatar>,
        _: Timestamp,
    ) -> Result<(Profile, Vec<(UserId, i64)>), StoreError> {
        answer()
    }

    async fn avatar(&self, _: &str) -> Result<Option<Vec<u8>>, StoreError> {
        answer()
    }
}

#[async_trait]
impl Contacts for MemoryStore {
    async fn block(&self, _: UserId, _: UserId, _: bool, _: Timestamp) -> Result<Vec<(UserId, i64)>, StoreError> {
        answer()
    }

    async fn blocked(&self, _: UserId) -> Result<Vec<Blocked>, StoreError> {
        answer()
    }

    async fn blocks(&self, _: UserId, _: UserId) -> Result<bool, StoreError> {
        answer()
    }

    async fn accept(
        &self,
        _: UserId,
        _: UserId,
        _: Timestamp,
    ) -> Result<Option<(ConversationSettings, Vec<(UserId, i64)>)>, StoreError> {
        answer()
    }
}

#[async_trait]
impl Reports for MemoryStore {
    async fn report(&self, _: &NewReport, _: Timestamp) -> Result<ReportId, StoreError> {
        answer()
    }

    async fn reports(&self, _: bool, _: ReportId, _: i64) -> Result<Vec<Report>, StoreError> {
        answer()
    }

    async fn close_report(&self, _: ReportId, _: Option<Closing>, _: Timestamp) -> Result<Option<Report>, StoreError> {
        answer()
    }
}
