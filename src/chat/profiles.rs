//! What people say of themselves: their own devices are told of a change, and others see it when they look.

use super::{Chat, ChatError};
use crate::domain::{Face, Profile, ProfileChange, User, UserId};
use crate::store::Avatar;

impl Chat {
    /// What a user says of themself.
    pub async fn profile(&self, user: UserId) -> Result<Profile, ChatError> {
        Ok(self.store.profile(user).await?)
    }

    /// Somebody's name, and what they say of themself; of somebody who is not active the name alone.
    pub async fn profile_of(&self, name: &str) -> Result<(User, Profile), ChatError> {
        let user = self.find(name).await?.ok_or(ChatError::NotFound)?;
        let profile = if user.is_active { self.store.profile(user.id).await? } else { Profile::default() };
        Ok((user, profile))
    }

    /// Changes what a user says of themself.
    pub async fn set_profile(&self, user: UserId, change: &ProfileChange) -> Result<Profile, ChatError> {
        let (profile, reached) = self.store.set_profile(user, change, self.clock.now()).await?;
        self.bus.publish(&reached).await;
        Ok(profile)
    }

    /// Puts a picture, or none, in the place of the one before.
    pub async fn set_avatar(&self, user: UserId, avatar: Option<Avatar>) -> Result<Profile, ChatError> {
        let (profile, reached) = self.store.set_avatar(user, avatar.as_ref(), self.clock.now()).await?;
        self.bus.publish(&reached).await;
        Ok(profile)
    }

    /// The picture with this name.
    pub async fn avatar(&self, name: &str) -> Result<Vec<u8>, ChatError> {
        self.store.avatar(name).await?.ok_or(ChatError::NotFound)
    }

    /// These people with what is seen beside their names, in one look.
    pub(super) async fn with_faces(&self, people: Vec<User>) -> Result<Vec<(User, Face)>, ChatError> {
        let ids: Vec<_> = people.iter().map(|user| user.id).collect();
        let mut faces = self.store.faces(&ids).await?;
        let with_face = people.into_iter().map(|user| {
            let face = faces.remove(&user.id).unwrap_or_default();
            (user, face)
        });
        Ok(with_face.collect())
    }
}
