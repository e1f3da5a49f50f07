//! The end of an account.

use super::{At, Auth, FactorError, Second};
use crate::domain::User;
use crate::store::{Rule, StoreError};

/// Why an account is not erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The password that was given as the current one is not.
    #[error("This is not your password.")]
    Wrong,
    #[error("Nobody else can administer this server. Make another superuser first.")]
    LastSuperuser,
    /// The password or the second step was not right.
    #[error(transparent)]
    Proof(#[from] FactorError),
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for EraseError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Conflict(Rule::LastSuperuser) => Self::LastSuperuser,
            e => Self::Store(e),
        }
    }
}

impl Auth {
    /// Erases the account of who asks, after a look at the password and the second factor: all of it or nothing. Every session ends, with its
    /// sockets on every process.
    pub async fn delete_account(
        &self,
        user: &User,
        current: &str,
        second: Option<Second<'_>>,
        at: At<'_>,
    ) -> Result<(), EraseError> {
        let _turn = self.turns.acquire().await;
        let right = self.prove(user, current, second, at).await?;
        match self.accounts.erase(user.id, Some(&right.hash), self.clock.now()).await {
            // The password was changed meanwhile, or the account is gone.
            Err(StoreError::NotFound) => return Err(EraseError::Wrong),
            erased => erased?,
        }
        self.nudge(user.id).await;
        Ok(())
    }

    /// Erases an account, as its operator.
    pub async fn erase(&self, user: &User) -> Result<(), EraseError> {
        self.accounts.erase(user.id, None, self.clock.now()).await?;
        self.nudge(user.id).await;
        Ok(())
    }
}
