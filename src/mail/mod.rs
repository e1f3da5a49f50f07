//! Mail: what one says ([`Letter`]), what it looks like on its way ([`message()`]), and handing it over ([`Mailer`]). It
//! knows nothing of queues and of who is written to.
//!
//! To add a way of handing over: a file with its `Mailer`, a variant of `Target`, and a stage if it can fail in a way of
//! its own.

mod address;
mod directory;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod letter;
mod message;
mod smtp;
mod stream;
mod target;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use address::{Address, InvalidAddress, Mailbox};
pub use letter::Letter;
pub use message::message;
use target::Target;

/// How long a delivery may take: what is not handed over by then has failed.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Hears how far a delivery has come.
pub type Tell<'a> = &'a (dyn Fn(Step) + Send + Sync);

/// Hands mail over.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands a message over for one recipient. After `Ok` the other side has taken it and will see to it; after an error
    /// it has not, as far as can be known.
    async fn deliver(&self, to: &Address, message: &[u8], tell: Tell<'_>) -> Result<(), DeliveryError>;
}

/// A step of a delivery that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Connected(SocketAddr),
    /// The connection is encrypted; whether the certificate was checked, and for which name.
    Encrypted(Option<String>),
    /// The connection is not encrypted.
    Open,
    SignedIn(String),
    RecipientTaken,
    /// The server has the mail; its words.
    Taken(String),
    Written(PathBuf),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected(at) => write!(f, "connected to {at}"),
            Self::Encrypted(Some(host)) => write!(f, "encrypted (TLS), with a certificate for {host} that is good"),
            Self::Encrypted(None) => f.write_str("encrypted (TLS), with a certificate that was not checked"),
            Self::Open => f.write_str("not encrypted"),
            Self::SignedIn(user) => write!(f, "signed in as {user}"),
            Self::RecipientTaken => f.write_str("the server takes mail for this recipient"),
            Self::Taken(words) => write!(f, "the server has taken the mail: {words}"),
            Self::Written(path) => write!(f, "written to {}", path.display()),
        }
    }
}

/// Where a delivery can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Connecting,
    /// Waiting for the server's first words.
    Greeting,
    Encrypting,
    SigningIn,
    /// The server is asked to take mail of `EMAIL_FROM`.
    Sender,
    Recipient,
    Content,
    /// Into a directory.
    Writing,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "the mail server cannot be reached",
            Self::Greeting => "the mail server does not greet",
            Self::Encrypting => "the connection to the mail server cannot be encrypted",
            Self::SigningIn => "the mail server does not let chatd sign in",
            Self::Sender => "the mail server takes no mail from EMAIL_FROM",
            Self::Recipient => "the mail server takes no mail for this recipient",
            Self::Content => "the mail server does not take this mail",
            Self::Writing => "the mail cannot be written",
        })
    }
}

/// Why a mail was not handed over. Of the recipient's address only the host is in it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{at}: {why}")]
pub struct DeliveryError {
    pub at: Stage,
    /// The cause, in the words of whoever found it; one line.
    pub why: String,
    /// The recipient or the mail was refused for good: the same again would be refused again.
    pub is_final: bool,
}

/// What is wrong with `EMAIL_URL`, as far as can be said without trying it. Holds nothing of its password.
pub fn check_url(url: &str) -> Result<(), String> {
    Target::parse(url).map(drop)
}

/// What `EMAIL_URL` names. `from` is who sends; a delivery that takes longer than `limit` has failed. The error says what
/// is wrong with the URL.
pub fn open(url: &str, from: &Mailbox, limit: Duration) -> Result<Arc<dyn Mailer>, String> {
    Ok(match Target::parse(url)? {
        Target::Directory(path) => Arc::new(directory::Directory(path)),
        Target::Server(server) => Arc::new(smtp::Smtp::new(server, &from.address, limit)?),
    })
}
