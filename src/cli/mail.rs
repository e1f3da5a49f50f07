//! `chatd mail …`, and what `serve` sends mail with.

use std::io::Write as _;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{clock, open_store};
use crate::auth::{Outbox, Sender, Sending};
use crate::config::{BadSettings, Settings, Wrong};
use crate::mail::{self, Address, DeliveryError, Letter, Mailbox, Mailer, Stage};
use crate::store::{MailQueue, Mails as _, SqlStore};

/// Outgoing mail.
#[derive(Subcommand)]
pub enum Mail {
    /// Send a mail at once, and say how far it came
    Test(Test),
    /// Say what waits to be sent
    Queue(Queue),
}

#[derive(Args)]
pub struct Test {
    /// Who gets it: ann@example.org
    #[arg(value_parser = Address::parse)]
    address: Address,
}

#[derive(Args)]
pub struct Queue {
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Mail {
    pub async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        match self {
            Self::Test(test) => test.run(settings).await,
            Self::Queue(queue) => queue.run(settings).await,
        }
    }
}

impl Test {
    async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let none = || BadSettings("EMAIL_URL is not set: there is nothing to try".to_owned());
        let Way { mailer, from } = open(settings)?.ok_or_else(none)?;
        let letter = Letter::new("A mail from chatd")
            .paragraph("Somebody who runs chatd has tried whether its mail arrives. It does.")
            .paragraph("There is nothing to do.");
        let message = mail::message(&from, &Mailbox::new("", self.address.clone()), &letter, clock().now());
        let say = |line: &dyn std::fmt::Display| {
            let _ = writeln!(std::io::stdout(), "{line}");
        };
        let url = settings.email_url.as_deref().unwrap_or_default();
        say(&format!("sending through {}", crate::config::without_password(url)));
        mailer.deliver(&self.address, &message, &|step| say(&step)).await?;
        say(&"Look into the mailbox, and among its spam too.");
        Ok(())
    }
}

impl Queue {
    async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let store = open_store(settings).await?;
        let queue = store.mail_queue().await?;
        store.close().await;
        let mut out = std::io::stdout().lock();
        let MailQueue { waiting, oldest, last_error } = queue;
        if self.json {
            let error = last_error.map(|(at, why)| json!({"at": at.to_string(), "why": why}));
            let state = json!({"waiting": waiting, "oldest": oldest.map(|at| at.to_string()), "last_error": error});
            writeln!(out, "{}", serde_json::to_string_pretty(&state)?)?;
            return Ok(());
        }
        let since = oldest.map_or_else(String::new, |at| format!(", the oldest since {at}"));
        writeln!(out, "mails that wait: {waiting}{since}")?;
        if let Some((at, why)) = last_error {
            writeln!(out, "the last failure, {at}: {why}")?;
        }
        Ok(())
    }
}

/// What is wrong with the settings of mail.
pub fn unusable(settings: &Settings) -> Wrong {
    let url = settings.email_url.as_deref().and_then(|url| mail::check_url(url).err());
    let from = settings.email_from.as_deref().and_then(|from| Mailbox::parse(from).err());
    let from = from.map(|_| "must be an address: chatd <chatd@example.org>".to_owned());
    url.map(|why| ("email_url", why)).into_iter().chain(from.map(|why| ("email_from", why))).collect()
}

/// How mail goes out.
struct Way {
    mailer: Arc<dyn Mailer>,
    from: Mailbox,
}

/// How mail goes out; none if it does not.
fn open(settings: &Settings) -> Result<Option<Way>, BadSettings> {
    let (Some(url), Some(from)) = (&settings.email_url, &settings.email_from) else { return Ok(None) };
    let from = Mailbox::parse(from).map_err(|_| BadSettings("EMAIL_FROM must be an address".to_owned()))?;
    let mailer = mail::open(url, &from, mail::TIME_LIMIT).map_err(|why| BadSettings(format!("EMAIL_URL {why}")))?;
    Ok(Some(Way { mailer, from }))
}

/// Where this process puts its mail, and what sends it; none if no mail is sent. The secret is known by then.
pub fn start(settings: &Settings, store: &Arc<SqlStore>) -> Result<Option<(Outbox, Sending)>, BadSettings> {
    let Some(Way { mailer, from }) = open(settings)? else { return Ok(None) };
    let outbox = Outbox::new(store.clone(), clock(), from, settings.secret_key.as_deref().unwrap_or_default());
    let sending = Sender { outbox: outbox.clone(), mailer }.start();
    Ok(Some((outbox, sending)))
}

/// What to do about a failed delivery.
pub fn advice(e: &DeliveryError) -> &'static str {
    let says = |part: &str| e.why.contains(part);
    match e.at {
        Stage::Connecting if says("refused") => {
            "nothing listens there: check the host and the port in EMAIL_URL (587 for smtp://, 465 for smtps://)"
        }
        Stage::Connecting if says("lookup") => "there is no such host: check the name in EMAIL_URL",
        Stage::Connecting => {
            "check the host and the port in EMAIL_URL; many networks and providers let no mail out on ports 25, 465 or 587"
        }
        Stage::Greeting => "port 465 wants smtps://, where the server waits for TLS first; 587 and 25 want smtp://",
        Stage::Encrypting if says("STARTTLS") => {
            "try smtps:// (port 465); on a network that you trust add ?tls=none to EMAIL_URL"
        }
        Stage::Encrypting if says("certificate") => {
            "the host in EMAIL_URL must be the one in the server's certificate; an authority of your own is named by \
             ?ca=/path/ca.pem"
        }
        Stage::Encrypting => "if the server begins without TLS (ports 587 and 25), write smtp:// in EMAIL_URL",
        Stage::SigningIn if says("mechanism") => {
            "the server offers no sign-in here: another port may (587 or 465), or leave user and password out"
        }
        Stage::SigningIn => {
            "check user and password in EMAIL_URL (percent-encode what is special in them); many providers want a \
             password made for programs"
        }
        Stage::Sender => {
            "EMAIL_FROM must be an address that this server lets you send from; it may want a sign-in first"
        }
        Stage::Recipient => {
            "check the address; a server that relays for nobody unknown wants a user and a password in EMAIL_URL"
        }
        Stage::Content => "the server's words say why; it may be EMAIL_FROM, or a filter",
        Stage::Writing => "check the path behind dir: in EMAIL_URL, and who may write there",
    }
}
