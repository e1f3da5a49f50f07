//! What somebody changes of the own account, with the password once more: a session alone may be a screen that was left
//! open.

use super::{Auth, NoThread, Origin, SignInError, SignedIn, WeakPassword};
use crate::domain::User;
use crate::store::StoreError;

/// Why a password is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The password that was given as the current one is not.
    #[error("This is not your password.")]
    Wrong,
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// Too many wrong passwords: the same limits as for signing in.
    #[error("too many wrong passwords; wait {0} seconds")]
    Throttled(u64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NoThread> for ChangePasswordError {
    fn from(e: NoThread) -> Self {
        Self::Store(StoreError::Unavailable(e.to_string()))
    }
}

impl From<SignInError> for ChangePasswordError {
    fn from(e: SignInError) -> Self {
        match e {
            SignInError::Invalid | SignInError::SecondStep(_) => Self::Wrong,
            SignInError::Throttled(seconds) | SignInError::TooOften(seconds) => Self::Throttled(seconds),
            SignInError::Store(e) => Self::Store(e),
        }
    }
}

impl Auth {
    /// Sets a new password after a look at the current one. Every session of the account ends, with its sockets; a new
    /// one takes the place of the one that asked. All of it or nothing: of two at once, one finds that its current
    /// password is not the current one any more.
    pub async fn change_password(
        &self,
        user: &User,
        current: &str,
        new: &str,
        lang: &str,
        origin: &Origin,
    ) -> Result<SignedIn, ChangePasswordError> {
        let _turn = self.turns.acquire().await;
        let right = self.verify(&user.username, current, origin).await?;
        let now = self.clock.now();
        self.store.was_right(&right.attempt, now, self.throttle.known_until(now)).await?;
        self.check_password(user, new).await??;
        let hash = self.hasher.hash(new).await?;
        let (token, session) = self.new_session(&right.user, origin);
        match self.accounts.change_password(&right.hash, &hash, &session).await {
            Err(StoreError::NotFound) => return Err(ChangePasswordError::Wrong),
            changed => changed?,
        }
        self.forget_strangers(user).await?;
        self.nudge(user.id).await;
        self.tell_of_password(&right.user, lang).await;
        Ok(SignedIn { user: right.user, token })
    }
}
