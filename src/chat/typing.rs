//! That somebody types: told to the other person's devices at this moment, and to nobody later.

use super::{Chat, ChatError};
use crate::bus::Signal;
use crate::domain::UserId;

impl Chat {
    /// Tells somebody that the user types to them: if both share that, and have a conversation. Whoever types is not told
    /// whether anybody was.
    pub async fn types(&self, user: UserId, to: &str) -> Result<(), ChatError> {
        let Some(peer) = self.find(to).await?.filter(|peer| peer.id != user && peer.sharing.typing) else {
            return Ok(());
        };
        if self.sharing(user).await?.typing
            && self.store.conversation_of(user, peer.id).await?.is_some()
            && !self.store.blocks(peer.id, user).await?
        {
            self.bus.signal(peer.id, Signal::Typing(user)).await;
        }
        Ok(())
    }
}
