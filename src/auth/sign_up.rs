//! Accounts that people make for themselves, and the invites that let them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Auth, NoThread, Origin, SignedIn, WeakPassword, hash_token, pending, throttle};
use crate::domain::{InvalidUsername, Invite, InviteId, NewInvite, NewUser, RefusedName, User, Username, is_space};
use crate::mail::Address;
use crate::store::{Rule, StoreError};

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpMode {
    Open,
    Invite,
    Closed,
}

impl SignUpMode {
    /// As it is written in the settings.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "open" => Some(Self::Open),
            "invite" => Some(Self::Invite),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invite => "invite",
            Self::Closed => "closed",
        }
    }
}

/// What became of somebody's wish for an account.
#[derive(Debug)]
pub enum SignUp {
    Made(SignedIn),
    /// A link was sent that makes it, or a word about the account that this address has.
    Sent,
}

/// What somebody gives who wants an account.
#[derive(Clone, Copy, Debug)]
pub struct Application<'a> {
    pub username: &'a str,
    pub password: &'a str,
    /// May be empty where no mail is sent.
    pub email: &'a str,
    /// An invite's token.
    pub invite: Option<&'a str>,
}

/// Why no account was made. What is wrong with the fields is said all at once, in the order of the fields.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    #[error("Accounts are made by those who run this server.")]
    Closed,
    /// Unknown, used up, expired or revoked: never said which.
    #[error("This invite cannot be used. Ask for a new one.")]
    Invite,
    /// Used, expired, or never there: never said which.
    #[error("This link cannot be used. Ask for a new one.")]
    Link,
    #[error("some fields are wrong")]
    Fields(Vec<(&'static str, String)>),
    /// Too many accounts from this address.
    #[error("too many accounts from this address; wait {0} seconds")]
    Throttled(u64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NoThread> for SignUpError {
    fn from(e: NoThread) -> Self {
        Self::Store(StoreError::Unavailable(e.to_string()))
    }
}

/// Why somebody cannot have a name.
#[derive(Debug, thiserror::Error)]
enum BadName {
    #[error(transparent)]
    Invalid(#[from] InvalidUsername),
    #[error(transparent)]
    Refused(#[from] RefusedName),
    #[error("A user with that username already exists.")]
    Taken,
    #[error("This name looks too much like somebody else's.")]
    Similar,
}

fn wrong(field: &'static str, why: &BadName) -> SignUpError {
    SignUpError::Fields(vec![(field, why.to_string())])
}

/// Why an invite is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInvite {
    #[error("Ensure this value is between 1 and 1000.")]
    Uses,
    #[error("Ensure this value is between 1 and 365.")]
    Days,
    #[error("Ensure this field has no more than 200 characters.")]
    Note,
}

/// What an invite is to be.
#[derive(Clone, Debug)]
pub struct InviteWish {
    pub uses: i64,
    pub days: i64,
    pub note: String,
}

impl InviteWish {
    /// One account, within a week.
    pub const USES: i64 = 1;
    pub const DAYS: i64 = 7;

    fn check(&self) -> Result<(), InvalidInvite> {
        if !(1..=1000).contains(&self.uses) {
            Err(InvalidInvite::Uses)
        } else if !(1..=365).contains(&self.days) {
            Err(InvalidInvite::Days)
        } else if self.note.chars().nth(200).is_some() || self.note.contains('\0') {
            Err(InvalidInvite::Note)
        } else {
            Ok(())
        }
    }
}

/// Why an invite was not made.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error(transparent)]
    Invalid(#[from] InvalidInvite),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Auth {
    /// Who may make an account.
    pub fn sign_up_mode(&self) -> SignUpMode {
        self.sign_up
    }

    /// Makes an account and signs it in; where mail is sent, its address is confirmed first. The invite is used up by the
    /// account, or by nobody.
    pub async fn sign_up(
        &self,
        application: Application<'_>,
        lang: &'static str,
        origin: &Origin,
    ) -> Result<SignUp, SignUpError> {
        let Application { username, password, email, invite } = application;
        let invite = match (self.sign_up, invite) {
            (SignUpMode::Closed, _) => return Err(SignUpError::Closed),
            (SignUpMode::Invite, None) => return Err(SignUpError::Invite),
            (_, invite) => invite.map(hash_token),
        };
        let username = self.check_application(username, password, email).await?;
        if let Some(hash) = &invite {
            let found = self.accounts.invite_by_token(hash).await?;
            if !found.is_some_and(|invite| invite.is_open(self.clock.now())) {
                return Err(SignUpError::Invite);
            }
        }
        let allowance = throttle::sign_ups(origin.address, self.sign_ups_per_hour);
        if let Err(wait) = self.store.take(&[allowance], self.clock.now()).await? {
            return Err(SignUpError::Throttled(u64::try_from(wait).unwrap_or(0).div_ceil(1_000_000)));
        }
        let _turn = self.turns.acquire().await;
        let new = NewUser {
            username,
            password_hash: self.hasher.hash(password).await?,
            email: email.trim_matches(is_space).to_owned(),
            is_staff: false,
            is_superuser: false,
        };
        if let Some(mailing) = &self.mailing {
            pending::send(mailing, new, invite, lang);
            return Ok(SignUp::Sent);
        }
        self.make(&new, invite.as_deref(), None, origin).await.map(SignUp::Made)
    }

    /// Makes the account, with one use of the invite and of the link by which its address was confirmed, and signs it in.
    pub(super) async fn make(
        &self,
        new: &NewUser,
        invite: Option<&str>,
        link: Option<&str>,
        origin: &Origin,
    ) -> Result<SignedIn, SignUpError> {
        let user = match self.accounts.sign_up(new, invite, link, self.clock.now()).await {
            Err(StoreError::NotFound) => return Err(SignUpError::Invite),
            Err(StoreError::Conflict(Rule::Username)) => return Err(wrong("username", &BadName::Taken)),
            Err(StoreError::Conflict(Rule::Look)) => return Err(wrong("username", &BadName::Similar)),
            made => made?,
        };
        let (token, session) = self.new_session(&user, origin);
        self.store.add_session(&session).await?;
        Ok(SignedIn { user, token })
    }

    async fn check_application(&self, username: &str, password: &str, email: &str) -> Result<Username, SignUpError> {
        let mut errors = Vec::new();
        let name = self.check_name(username).await?;
        if let Err(e) = &name {
            errors.push(("username", e.to_string()));
        }
        let weak: Result<(), WeakPassword> = self.owner(username, email.trim_matches(is_space)).check(password);
        if let Err(e) = weak {
            errors.push(("password", e.to_string()));
        }
        if email.is_empty() && self.sends_mail() {
            errors.push(("email", "This field may not be blank.".to_owned()));
        }
        if !email.is_empty() && Address::parse(email.trim_matches(is_space)).is_err() {
            errors.push(("email", "Enter a valid email address.".to_owned()));
        }
        match name {
            Ok(name) if errors.is_empty() => Ok(name),
            _ => Err(SignUpError::Fields(errors)),
        }
    }

    /// A name that somebody may have.
    pub(super) async fn new_name(&self, name: &str) -> Result<Username, SignUpError> {
        self.check_name(name).await?.map_err(|why| wrong("username", &why))
    }

    /// Looked at before a password is hashed for it; what counts is the unique key.
    async fn check_name(&self, name: &str) -> Result<Result<Username, BadName>, StoreError> {
        let name = match Username::new(name) {
            Ok(name) => name,
            Err(e) => return Ok(Err(e.into())),
        };
        if let Err(e) = name.check_chosen() {
            return Ok(Err(e.into()));
        }
        if self.store.user_by_key(&name.key()).await?.is_some() {
            return Ok(Err(BadName::Taken));
        }
        Ok(Ok(name))
    }

    /// Whether a user may make invites.
    pub fn may_invite(&self, user: &User) -> bool {
        self.sign_up != SignUpMode::Closed && (self.everybody_invites || user.is_staff || user.is_superuser)
    }

    /// Makes an invite; returns it with its token, which is told this once.
    pub async fn invite(&self, maker: Option<&User>, wish: &InviteWish) -> Result<(Invite, String), InviteError> {
        wish.check()?;
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>());
        let now = self.clock.now();
        let days = Duration::from_secs(u64::try_from(wish.days).unwrap_or(0) * 86_400);
        let new = NewInvite {
            token_hash: hash_token(&token),
            made_by: maker.map(|user| user.id),
            note: wish.note.trim_matches(is_space).to_owned(),
            created_at: now,
            expires_at: now.plus(days),
            most_uses: wish.uses,
        };
        Ok((self.accounts.add_invite(&new).await?, token))
    }

    /// The invite of a token, if an account can be made with it.
    pub async fn open_invite(&self, token: &str) -> Result<Option<Invite>, StoreError> {
        let found = self.accounts.invite_by_token(&hash_token(token)).await?;
        Ok(found.filter(|invite| invite.is_open(self.clock.now())))
    }

    /// The invites that a user may look after, newest first: the own ones, for staff everybody's. Not those that expired
    /// more than a month ago.
    pub async fn invites(&self, user: Option<&User>) -> Result<Vec<Invite>, StoreError> {
        let since = self.clock.now().minus(Duration::from_hours(30 * 24));
        let own = user.filter(|user| !user.is_staff && !user.is_superuser);
        self.accounts.invites(own.map(|user| user.id), since).await
    }

    /// Ends an invite that the user may look after; false if there is none of this number.
    pub async fn revoke_invite(&self, user: Option<&User>, id: InviteId) -> Result<bool, StoreError> {
        let Some(invite) = self.accounts.invite(id).await? else { return Ok(false) };
        let may = user.is_none_or(|user| {
            user.is_staff || user.is_superuser || invite.made_by.as_deref() == Some(user.username.as_str())
        });
        if may {
            self.accounts.revoke_invite(id, self.clock.now()).await?;
        }
        Ok(may)
    }

    /// Notes what the names look like that were there before that was noted.
    pub async fn note_looks(&self) -> Result<(), StoreError> {
        while self.accounts.note_looks().await? {}
        Ok(())
    }
}
