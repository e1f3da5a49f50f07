//! What accounts are proven with.

use async_trait::async_trait;

use super::users::{END_SESSIONS, REHASH};
use super::{SqlStore, StoreError, lock_heads, sessions};
use crate::store::retry::retrying;
use crate::store::{Credentials, Session};

#[async_trait]
impl Credentials for SqlStore {
    async fn change_password(&self, old: &str, new: &str, session: &Session) -> Result<(), StoreError> {
        let user = session.user;
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            lock_heads(&mut c, &[user]).await?;
            if c.execute(REHASH, &[new.into(), user.into(), old.into()]).await?.rows == 0 {
                return Err(StoreError::NotFound.into());
            }
            c.execute(END_SESSIONS, &[user.into(), "".into()]).await?;
            sessions::add(&mut c, session).await?;
            c.commit().await
        })
        .await
    }
}
