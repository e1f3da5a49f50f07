//! What people say of themselves, and their pictures.

use std::collections::HashMap;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::StoreError;
use crate::domain::{Face, Profile, ProfileChange, Timestamp, UserId};

/// A picture as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Avatar {
    /// A hash of the content, in hex.
    pub name: String,
    /// A JPEG of chatd's own making.
    pub content: Vec<u8>,
}

impl Avatar {
    /// Names it.
    pub fn new(content: Vec<u8>) -> Self {
        // Half of the hash is more than anybody can guess, and makes shorter addresses.
        let name = Sha256::digest(&content).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { name, content }
    }
}

/// Profiles. Where the logs stand is returned if anything changed: the user's own devices are told, and nobody else.
#[async_trait]
pub trait Profiles: Send + Sync {
    /// What a user says of themself; nothing, if there is no such user.
    async fn profile(&self, user: UserId) -> Result<Profile, StoreError>;
    /// What is seen beside the names of these; those who have said nothing, and those who are not active, are left out.
    async fn faces(&self, users: &[UserId]) -> Result<HashMap<UserId, Face>, StoreError>;
    /// Changes what a user says of themself. [`Rule::DisplayName`](super::Rule::DisplayName) if the name is, or looks
    /// like, the username of somebody else.
    async fn set_profile(
        &self,
        user: UserId,
        change: &ProfileChange,
        now: Timestamp,
    ) -> Result<(Profile, Vec<(UserId, i64)>), StoreError>;
    /// Puts a picture, or none, in the place of the one before, which is gone.
    async fn set_avatar(
        &self,
        user: UserId,
        avatar: Option<&Avatar>,
        now: Timestamp,
    ) -> Result<(Profile, Vec<(UserId, i64)>), StoreError>;
    /// The content of the picture with this name, if an active user has it.
    async fn avatar(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;
}
