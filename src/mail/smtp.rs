//! Mail over SMTP: one connection for each mail, step by step, so that it is known which step was refused.

use std::error::Error;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::address::one_line;
use super::stream::Unhurried;
use super::target::{Server, Tls};
use super::{Address, DeliveryError, Mailer, Stage, Step, Tell};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server is waited for to say goodbye; it has the mail.
const GOODBYE: Duration = Duration::from_secs(2);
/// The most characters that are kept of what a server says.
const WORDS: usize = 300;

/// A mail server.
pub struct Smtp {
    server: Server,
    from: Address,
    encryption: TlsParameters,
    limit: Duration,
}

/// A step that failed.
struct Refusal {
    why: String,
    /// The server said 5xx.
    for_good: bool,
}

impl Refusal {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), for_good: false }
    }
}

impl From<SmtpError> for Refusal {
    fn from(e: SmtpError) -> Self {
        let words = cause(&e).to_string();
        let why = e.status().map_or_else(|| words.clone(), |code| format!("{code} {words}"));
        Self { why, for_good: e.is_permanent() }
    }
}

impl Smtp {
    /// Reads the file of authorities, if one is named.
    pub fn new(server: Server, from: &Address, limit: Duration) -> Result<Self, String> {
        let unchecked = server.tls == Tls::Opportunistic;
        let mut encryption = TlsParameters::builder(server.host.clone())
            .dangerous_accept_invalid_certs(unchecked)
            .dangerous_accept_invalid_hostnames(unchecked);
        if let Some(path) = &server.ca {
            let shown = path.display();
            let pem = std::fs::read(path).map_err(|e| format!("names {shown}, which cannot be read: {e}"))?;
            let none = || format!("names {shown}, in which there is no certificate in PEM");
            if !pem.windows(17).any(|part| part == b"BEGIN CERTIFICATE") {
                return Err(none());
            }
            encryption = encryption.add_root_certificate(Certificate::from_pem(&pem).map_err(|_| none())?);
        }
        let encryption = encryption.build().map_err(|e| format!("cannot be used: {e}"))?;
        Ok(Self { server, from: from.clone(), encryption, limit })
    }

    /// Comes as far as it can; `at` is where it stands.
    async fn hand_over(
        &self,
        at: &mut Stage,
        to: &Address,
        message: &[u8],
        tell: Tell<'_>,
    ) -> Result<AsyncSmtpConnection, Refusal> {
        let mut server = self.connect(at, tell).await?;
        self.sign_in(&mut server, at, tell).await?;
        *at = Stage::Sender;
        let mut options = Vec::new();
        if !self.from.as_str().is_ascii() || !to.as_str().is_ascii() {
            if !server.server_info().supports_feature(Extension::SmtpUtfEight) {
                *at = Stage::Recipient;
                let why = "it knows no addresses with letters beyond ASCII (SMTPUTF8)".to_owned();
                return Err(Refusal { why, for_good: true });
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if !message.is_ascii() {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        server.command(Mail::new(Some(self.from.lettre()), options)).await?;
        *at = Stage::Recipient;
        server.command(Rcpt::new(to.lettre(), Vec::new())).await?;
        tell(Step::RecipientTaken);
        *at = Stage::Content;
        server.command(Data).await?;
        let answer = server.message(message).await?;
        let words = answer.message().collect::<Vec<_>>().join(" ");
        tell(Step::Taken(without_person(&format!("{} {words}", answer.code()), to)));
        Ok(server)
    }

    async fn connect(&self, at: &mut Stage, tell: Tell<'_>) -> Result<AsyncSmtpConnection, Refusal> {
        let (host, port, hello) =
            (self.server.host.as_str(), self.server.port, ClientId::Domain(self.from.host().to_owned()));
        let checked = |checked: bool| Step::Encrypted(checked.then(|| host.to_owned()));
        *at = Stage::Connecting;
        if self.server.tls == Tls::Wrapped {
            let tls = Some(self.encryption.clone());
            let connected = AsyncSmtpConnection::connect_tokio1((host, port), Some(CONNECT), &hello, tls, None).await;
            let server = connected.inspect_err(|e| *at = stage_of(e))?;
            tell(checked(true));
            return Ok(server);
        }
        let stream = timeout(CONNECT, TcpStream::connect((host, port))).await;
        let stream = stream.map_err(|_| Refusal::new("no answer"))?.map_err(|e| Refusal::new(e.to_string()))?;
        if let Ok(peer) = stream.peer_addr() {
            tell(Step::Connected(peer));
        }
        *at = Stage::Greeting;
        let mut server = AsyncSmtpConnection::connect_with_transport(Box::new(Unhurried(stream)), &hello).await?;
        let offered = server.can_starttls();
        match self.server.tls {
            Tls::Required | Tls::Opportunistic if offered => {
                *at = Stage::Encrypting;
                server.starttls(self.encryption.clone(), &hello).await?;
                tell(checked(self.server.tls == Tls::Required));
            }
            Tls::Required => {
                *at = Stage::Encrypting;
                return Err(Refusal::new("it offers no STARTTLS"));
            }
            _ => tell(Step::Open),
        }
        Ok(server)
    }

    async fn sign_in(&self, server: &mut AsyncSmtpConnection, at: &mut Stage, tell: Tell<'_>) -> Result<(), Refusal> {
        let Some((user, password)) = &self.server.sign_in else { return Ok(()) };
        *at = Stage::SigningIn;
        let who = Credentials::new(user.clone(), password.clone());
        server.auth(DEFAULT_MECHANISMS, &who).await?;
        tell(Step::SignedIn(user.clone()));
        Ok(())
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn deliver(&self, to: &Address, message: &[u8], tell: Tell<'_>) -> Result<(), DeliveryError> {
        let mut at = Stage::Connecting;
        let done = timeout(self.limit, self.hand_over(&mut at, to, message, tell)).await;
        let late = |_| Refusal::new(format!("no answer within {} seconds", self.limit.as_secs_f32()));
        match done.map_err(late).and_then(|done| done) {
            Ok(mut server) => {
                // It has the mail, whatever comes of this.
                let _ = timeout(GOODBYE, server.quit()).await;
                Ok(())
            }
            Err(refusal) => Err(DeliveryError {
                at,
                why: without_person(&refusal.why, to),
                // What is said before is about chatd and its settings, not about this mail.
                is_final: refusal.for_good && matches!(at, Stage::Recipient | Stage::Content),
            }),
        }
    }
}

/// What is below all that the library says of itself.
fn cause(e: &SmtpError) -> &(dyn Error + 'static) {
    let mut cause: &(dyn Error + 'static) = e;
    while let Some(below) = cause.downcast_ref::<SmtpError>().and_then(Error::source) {
        cause = below;
    }
    cause
}

/// How far a connection came that is encrypted from its first byte on.
fn stage_of(e: &SmtpError) -> Stage {
    match cause(e).downcast_ref().map(io::Error::kind) {
        // What the TLS library found, or a server that hung up on it.
        Some(io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            Stage::Encrypting
        }
        Some(_) => Stage::Connecting,
        None => Stage::Greeting,
    }
}

/// Words of a server as one line, in which the recipient has no name but the host.
fn without_person(words: &str, to: &Address) -> String {
    let (line, address) = (one_line(words, WORDS), to.as_str().to_lowercase());
    // Some servers answer in other letters than they were asked in.
    let lower = line.to_lowercase();
    if lower.contains(&address) { lower.replace(&address, &format!("***@{}", to.host())) } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_names_nobody() {
        let to = Address::parse("Ann.Smith@example.org").unwrap();
        for (words, shown) in [
            ("550 5.1.1 <ann.smith@example.org>: unknown", "550 5.1.1 <***@example.org>: unknown"),
            ("550 Ann.Smith@Example.ORG and ann.smith@example.org", "550 ***@example.org and ***@example.org"),
            ("İ ann.smith@example.org", "i\u{307} ***@example.org"),
            ("a\r\nb", "a  b"),
            ("550 no", "550 no"),
        ] {
            assert_eq!(without_person(words, &to), shown);
        }
        assert_eq!(without_person(&"x".repeat(1000), &to).len(), WORDS);
    }
}
