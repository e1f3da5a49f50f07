//! Making an account, its password, and letting it sign in.

use super::strength::Owner;
use super::{Auth, NoThread, WeakPassword, throttle};
use crate::domain::{InvalidUsername, NewUser, User, UserKey, Username};
use crate::store::{Rule, StoreError};

/// Why an account cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NewAccountError {
    #[error(transparent)]
    Username(#[from] InvalidUsername),
    #[error("A user with that username already exists.")]
    Taken,
    #[error(transparent)]
    Password(#[from] WeakPassword),
    #[error(transparent)]
    Store(StoreError),
}

impl From<NoThread> for NewAccountError {
    fn from(e: NoThread) -> Self {
        Self::Store(StoreError::Unavailable(e.to_string()))
    }
}

impl From<StoreError> for NewAccountError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Conflict(Rule::Username) => Self::Taken,
            e => Self::Store(e),
        }
    }
}

impl Auth {
    /// Makes an account. `strict` refuses weak passwords.
    pub async fn add_account(
        &self,
        username: &str,
        password: &str,
        email: &str,
        superuser: bool,
        strict: bool,
    ) -> Result<User, NewAccountError> {
        let username = Username::new(username)?;
        if strict {
            self.owner(username.as_str(), email).check(password)?;
        }
        if self.store.user_by_key(&username.key()).await?.is_some() {
            return Err(NewAccountError::Taken);
        }
        let new = NewUser {
            username,
            password_hash: self.hasher.hash(password).await?,
            email: email.to_owned(),
            is_staff: superuser,
            is_superuser: superuser,
        };
        Ok(self.store.add_user(&new, self.clock.now()).await?)
    }

    /// Sets a password and ends the account's sessions. What strangers have guessed says nothing of the new one: their
    /// count begins anew, so that an owner whom they kept out of a new place can get in there.
    pub async fn set_password(&self, user: &User, password: &str, strict: bool) -> Result<(), NewAccountError> {
        if strict {
            self.check_password(user, password).await??;
        }
        let hash = self.hasher.hash(password).await?;
        self.store.set_password_hash(user.id, &hash, None).await?;
        self.forget_strangers(user).await?;
        self.nudge(user.id).await;
        Ok(())
    }

    /// Whether somebody who has an account may choose this password.
    pub(super) async fn check_password(
        &self,
        user: &User,
        password: &str,
    ) -> Result<Result<(), WeakPassword>, StoreError> {
        let profile = self.store.profile(user.id).await?;
        let owner = self.owner(&user.username, &user.email);
        Ok(Owner { display_name: &profile.display_name, ..owner }.check(password))
    }

    /// Whose password it is to be, who has no account yet.
    pub(super) fn owner<'a>(&'a self, username: &'a str, email: &'a str) -> Owner<'a> {
        Owner { username, email, display_name: "", site: &self.site }
    }

    pub(super) async fn forget_strangers(&self, user: &User) -> Result<(), StoreError> {
        let Some(key) = UserKey::new(&user.username) else { return Ok(()) };
        self.store.make_whole(&throttle::strangers(key.as_str()), self.clock.now()).await
    }

    /// Lets an account sign in, or not; not ends its sessions.
    pub async fn set_active(&self, user: &User, active: bool) -> Result<(), StoreError> {
        self.store.set_active(user.id, active).await?;
        self.nudge(user.id).await;
        Ok(())
    }
}
