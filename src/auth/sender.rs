//! The chore that sends what is queued. Each process has one; they share the queue, and what one process has taken the
//! others leave alone until its time is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::outbox::Outbox;
use crate::domain::Timestamp;
use crate::mail::{Address, DeliveryError, Mailer};
use crate::store::{ClaimedMail, StoreError};

/// Deliveries at once, in one process.
const AT_ONCE: usize = 2;
/// How long a sender has a mail for itself: well above the time limit of a delivery. A mail whose sender died waits for
/// so long.
const LEASE: Duration = Duration::from_mins(5);
/// How often the queue is looked at for what others queued, and for what is due again.
const POLL: Duration = Duration::from_secs(5);
/// The time between the first two tries; it doubles with each, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_mins(1);
const LONGEST_WAIT: Duration = Duration::from_hours(4);

/// Sends what is queued.
#[derive(Clone)]
pub struct Sender {
    pub outbox: Outbox,
    pub mailer: Arc<dyn Mailer>,
}

/// A sender at work.
pub struct Sending {
    stop: watch::Sender<bool>,
    workers: JoinSet<()>,
}

impl Sending {
    /// Takes no more mail, and waits for what is under way. What takes longer than `limit` is given up, and is sent
    /// again by somebody when its lease has ended.
    pub async fn stop(mut self, limit: Duration) {
        self.stop.send_replace(true);
        let all = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::info!("mail was under way; it is sent again later");
        }
    }
}

/// What became of a try.
enum Outcome {
    Sent,
    /// To be tried again, for this reason.
    Failed(String),
    /// Never to be tried again, for this reason.
    GivenUp(String),
}

impl Sender {
    /// Starts to send.
    pub fn start(self) -> Sending {
        let (stop, stopped) = watch::channel(false);
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (sender, stopped) = (self.clone(), stopped.clone());
            workers.spawn(async move { sender.work(stopped).await });
        }
        Sending { stop, workers }
    }

    async fn work(&self, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            match self.send_one().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(e) => tracing::warn!(error = %e, "the queue of outgoing mail cannot be read"),
            }
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => {}
                () = self.outbox.woken() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Takes the mail that is due for longest and sees to it. False if nothing is due.
    pub async fn send_one(&self) -> Result<bool, StoreError> {
        let now = self.outbox.clock.now();
        let Some(mail) = self.outbox.store.claim_mail(now, now.plus(LEASE)).await? else { return Ok(false) };
        // There may be more, for the other one.
        self.outbox.wake();
        let outcome = self.attempt(&mail, now).await;
        let noted = self.note(&mail, outcome).await;
        // It is taken until its lease ends: somebody will see to it then.
        if let Err(e) = noted {
            tracing::warn!(error = %e, purpose = mail.purpose, "what became of a mail is not noted; it may be sent twice");
        }
        Ok(true)
    }

    async fn attempt(&self, mail: &ClaimedMail, now: Timestamp) -> Outcome {
        if mail.expires_at <= now {
            return Outcome::GivenUp("it has expired".to_owned());
        }
        let Ok(to) = Address::parse(&mail.recipient) else {
            return Outcome::GivenUp("its address is none".to_owned());
        };
        let message = match self.outbox.open(mail) {
            Ok(message) => message,
            // Another process may have the key.
            Err(e) => return Outcome::Failed(e.to_string()),
        };
        match self.mailer.deliver(&to, &message, &|_| {}).await {
            Ok(()) => Outcome::Sent,
            Err(e @ DeliveryError { is_final: true, .. }) => Outcome::GivenUp(e.to_string()),
            Err(e) => Outcome::Failed(e.to_string()),
        }
    }

    /// Logs what became of a mail, with the host of its address alone.
    async fn note(&self, mail: &ClaimedMail, outcome: Outcome) -> Result<(), StoreError> {
        let (purpose, tries) = (mail.purpose.as_str(), mail.tries);
        let host = mail.recipient.rsplit('@').next().unwrap_or_default();
        let given_up = |why: &str| tracing::error!(purpose, host, tries, why, "mail is given up");
        match outcome {
            Outcome::Sent => tracing::info!(purpose, host, tries, "mail sent"),
            Outcome::GivenUp(why) => given_up(&why),
            Outcome::Failed(why) => {
                let due_at = self.outbox.clock.now().plus(wait(tries, rand::random()));
                if due_at < mail.expires_at {
                    tracing::warn!(purpose, host, tries, why, "mail could not be sent; it is tried again");
                    return self.outbox.store.postpone_mail(mail, due_at, &why).await;
                }
                given_up(&why);
            }
        }
        self.outbox.store.remove_mail(mail.id).await
    }
}

/// How long to wait after so many tries. `spread` (0 to 1) moves it by up to a quarter, so that what failed together is
/// not tried together.
fn wait(tries: i64, spread: f64) -> Duration {
    let doublings = u32::try_from(tries.clamp(1, 20) - 1).unwrap_or(0);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT).mul_f64(0.75 + spread / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_four_hours() {
        let minutes = |tries| wait(tries, 0.5).as_secs() / 60;
        assert_eq!([1, 2, 3, 8, 9, 10, 1000, i64::MAX].map(minutes), [1, 2, 4, 128, 240, 240, 240, 240]);
        assert_eq!(wait(1, 0.0), Duration::from_secs(45));
        assert_eq!(wait(1, 1.0), Duration::from_secs(75));
        assert_eq!([0, -5].map(minutes), [1, 1]);
    }
}
