//! Whom a user hears from: blocks, and requests of strangers. The user's own devices are told, and nobody else.

use super::{Chat, ChatError};
use crate::domain::{Blocked, ConversationSettings, Face, UserId};

impl Chat {
    /// Blocks somebody: once this has returned, nothing that they send is stored. Returns whether it is new.
    pub async fn block(&self, user: UserId, name: &str) -> Result<((Blocked, Face), bool), ChatError> {
        let peer = self.find(name).await?.ok_or(ChatError::NotFound)?;
        if peer.id == user {
            return Err(ChatError::Oneself);
        }
        let now = self.clock.now();
        let reached = self.store.block(user, peer.id, true, now).await?;
        self.bus.publish(&reached).await;
        let found = self.blocked(user).await?.into_iter().find(|(blocked, _)| blocked.user == peer.id);
        let new = Blocked { user: peer.id, username: peer.username, since: now };
        Ok((found.unwrap_or((new, Face::default())), !reached.is_empty()))
    }

    /// Hears from somebody again. The same again changes nothing.
    pub async fn unblock(&self, user: UserId, name: &str) -> Result<(), ChatError> {
        let peer = self.find(name).await?.ok_or(ChatError::NotFound)?;
        let reached = self.store.block(user, peer.id, false, self.clock.now()).await?;
        self.bus.publish(&reached).await;
        Ok(())
    }

    /// Whom a user blocks, newest first, and what is seen beside their names.
    pub async fn blocked(&self, user: UserId) -> Result<Vec<(Blocked, Face)>, ChatError> {
        let blocked = self.store.blocked(user).await?;
        let ids: Vec<_> = blocked.iter().map(|blocked| blocked.user).collect();
        let mut faces = self.store.faces(&ids).await?;
        let with_face = |blocked: Blocked| {
            let face = faces.remove(&blocked.user).unwrap_or_default();
            (blocked, face)
        };
        Ok(blocked.into_iter().map(with_face).collect())
    }

    /// Takes what a stranger writes for a conversation like others.
    pub async fn accept(&self, user: UserId, name: &str) -> Result<ConversationSettings, ChatError> {
        let peer = self.find(name).await?.ok_or(ChatError::NotFound)?;
        let accepted = self.store.accept(user, peer.id, self.clock.now()).await?;
        let (settings, reached) = accepted.ok_or(ChatError::NotFound)?;
        self.bus.publish(&reached).await;
        Ok(settings)
    }
}
