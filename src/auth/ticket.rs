//! What somebody carries from one step to the next (from the password to the code, from a challenge to its answer):
//! sealed, for one purpose and a few minutes. Nothing is stored until the last step, so that strangers who begin without
//! end fill no table.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::domain::{Timestamp, UserId};
use crate::seal::Seal;

/// The clocks of processes may differ by so much.
const SKEW: Duration = Duration::from_mins(1);
const STATE: usize = 16;
const HEAD: usize = 8 + 8 + STATE;
/// Ours are shorter.
const LONGEST: usize = 1024;

/// What a ticket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The password was right, the second step is to come.
    SecondStep,
    /// An app is being set up; it carries the secret.
    TotpSetUp,
    /// A passkey is being made: its challenge.
    NewPasskey,
    /// A passkey is asked for: its challenge.
    Passkey,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::SecondStep => "second step",
            Self::TotpSetUp => "totp",
            Self::NewPasskey => "new passkey",
            Self::Passkey => "passkey",
        }
    }

    /// How long it is good.
    pub fn lifetime(self) -> Duration {
        match self {
            // A telephone has to be found, and an app.
            Self::TotpSetUp => Duration::from_mins(15),
            _ => Duration::from_mins(5),
        }
    }
}

/// What a ticket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Whose it is; none is anybody's.
    pub user: Option<UserId>,
    /// What the user's password is, in a way that says nothing of it: with a new one the ticket is worth nothing.
    pub state: [u8; STATE],
    pub rest: Vec<u8>,
}

impl Ticket {
    /// A ticket of a user with this password hash.
    pub fn of(user: UserId, hash: &str) -> Self {
        Self { user: Some(user), state: state(hash), rest: Vec::new() }
    }

    /// Anybody's.
    pub fn of_anybody() -> Self {
        Self { user: None, state: [0; STATE], rest: Vec::new() }
    }

    /// Whether it is this user's, and the password still the same.
    pub fn is_of(&self, user: UserId, hash: &str) -> bool {
        self.user == Some(user) && self.state == state(hash)
    }
}

fn state(hash: &str) -> [u8; STATE] {
    let mut state = [0; STATE];
    state.copy_from_slice(&Sha256::digest(hash.as_bytes())[..STATE]);
    state
}

/// Makes and reads tickets.
#[derive(Clone)]
pub struct Tickets(Seal);

impl Tickets {
    /// `secret` is `SECRET_KEY`.
    pub fn new(secret: &str) -> Self {
        Self(Seal::new(secret, "ticket"))
    }

    /// A ticket as text. No two are alike: 192 bits of it are random.
    pub fn issue(&self, purpose: Purpose, ticket: &Ticket, now: Timestamp) -> String {
        let mut text = ticket.user.unwrap_or(0).to_be_bytes().to_vec();
        text.extend(now.0.to_be_bytes());
        text.extend(ticket.state);
        text.extend(&ticket.rest);
        URL_SAFE_NO_PAD.encode(self.0.close(&[purpose.name()], &text))
    }

    /// What a ticket says; none if it is not ours, for something else, or too old.
    pub fn open(&self, purpose: Purpose, ticket: &str, now: Timestamp) -> Option<Ticket> {
        if ticket.len() > LONGEST {
            return None;
        }
        let text = self.0.open(&[purpose.name()], &URL_SAFE_NO_PAD.decode(ticket).ok()?).ok()?;
        let (head, rest) = text.split_at_checked(HEAD)?;
        let number = |at: usize| Some(i64::from_be_bytes(head.get(at..at + 8)?.try_into().ok()?));
        let (user, at) = (number(0)?, Timestamp(number(8)?));
        if at > now.plus(SKEW) || at.plus(purpose.lifetime()) <= now {
            return None;
        }
        let state = head[16..].try_into().ok()?;
        Some(Ticket { user: (user != 0).then_some(user), state, rest: rest.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    #[test]
    fn a_ticket_is_for_one_purpose_and_a_few_minutes() {
        let tickets = Tickets::new("a secret of more than thirty-two characters");
        let ticket = Ticket { rest: b"rest".to_vec(), ..Ticket::of(7, "hash") };
        let text = tickets.issue(Purpose::SecondStep, &ticket, NOW);
        let at = |minutes: i64| Timestamp(NOW.0 + minutes * 60_000_000);
        for good in [0, 4, -1] {
            assert_eq!(tickets.open(Purpose::SecondStep, &text, at(good)), Some(ticket.clone()), "{good}");
        }
        for bad in [5, 60, -2] {
            assert_eq!(tickets.open(Purpose::SecondStep, &text, at(bad)), None, "{bad}");
        }
        assert_eq!(tickets.open(Purpose::Passkey, &text, NOW), None);
        assert_eq!(Tickets::new("another secret").open(Purpose::SecondStep, &text, NOW), None);
        assert_ne!(tickets.issue(Purpose::SecondStep, &ticket, NOW), text);
        for at in 0..text.len() {
            assert_eq!(tickets.open(Purpose::SecondStep, &text[..at], NOW), None, "cut at {at}");
        }
    }

    #[test]
    fn a_ticket_is_its_owners_while_the_password_stays() {
        let ticket = Ticket::of(7, "hash");
        assert!(ticket.is_of(7, "hash"));
        assert!(!ticket.is_of(8, "hash") && !ticket.is_of(7, "other") && !Ticket::of_anybody().is_of(0, ""));
    }
}
