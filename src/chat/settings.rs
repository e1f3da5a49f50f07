//! What users arrange for themselves; their own devices are told, and nobody else.

use super::{Chat, ChatError};
use crate::domain::{ConversationSettings, ConversationSettingsChange, Sharing, SharingChange, UserId};

impl Chat {
    /// Mutes, pins, puts aside, or the contrary.
    pub async fn arrange(
        &self,
        user: UserId,
        with: &str,
        change: &ConversationSettingsChange,
    ) -> Result<ConversationSettings, ChatError> {
        let peer = self.find(with).await?.ok_or(ChatError::NotFound)?;
        let arranged = self.store.arrange(user, peer.id, change, self.clock.now()).await?;
        let (settings, reached) = arranged.ok_or(ChatError::NotFound)?;
        self.bus.publish(&reached).await;
        Ok(settings)
    }

    /// What a user shares with others at the moment.
    pub async fn sharing(&self, user: UserId) -> Result<Sharing, ChatError> {
        Ok(self.user(user).await?.sharing)
    }

    /// Changes what a user shares with others.
    pub async fn share(&self, user: UserId, change: SharingChange) -> Result<Sharing, ChatError> {
        let (sharing, reached) = self.store.share(user, change, self.clock.now()).await?;
        self.bus.publish(&reached).await;
        Ok(sharing)
    }
}
