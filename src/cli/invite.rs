//! `chatd invite …`.

use std::io::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::open_auth;
use crate::auth::{Auth, InviteWish, SignUpMode};
use crate::config::Settings;
use crate::domain::{Clock as _, Invite as Stored, SystemClock};

/// Links with which people make their accounts.
#[derive(Subcommand)]
pub enum Invite {
    /// Make a link
    Add(Add),
    /// List the invites
    List(List),
    /// Let nobody use an invite any more
    Revoke(Revoke),
}

#[derive(Args)]
pub struct Add {
    /// How many accounts may be made with it, 1 to 1000
    #[arg(long, default_value_t = InviteWish::USES)]
    uses: i64,
    /// How long it can be used, 1 to 365
    #[arg(long, default_value_t = InviteWish::DAYS)]
    days: i64,
    /// For whom or what it is
    #[arg(long, default_value = "")]
    note: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct List {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Revoke {
    /// As `chatd invite list` names it
    id: i64,
}

impl Invite {
    pub async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let (store, auth) = open_auth(settings).await?;
        if auth.sign_up_mode() == SignUpMode::Closed {
            eprintln!("chatd: warning: SIGNUP is closed: nobody can use an invite until it is invite, or open");
        }
        let done = match self {
            Self::Add(add) => add.run(&auth, settings).await,
            Self::List(list) => list.run(&auth).await,
            Self::Revoke(revoke) => revoke.run(&auth).await,
        };
        store.close().await;
        done
    }
}

impl Add {
    async fn run(self, auth: &Auth, settings: &Settings) -> anyhow::Result<()> {
        let wish = InviteWish { uses: self.uses, days: self.days, note: self.note };
        let (invite, token) = auth.invite(None, &wish).await?;
        let url = format!("{}signup/{token}/", home(settings));
        if self.json {
            let mut made = described(&invite);
            made["url"] = json!(url);
            println!("{}", serde_json::to_string_pretty(&made)?);
        } else {
            println!("{url}");
            println!("for {} {}, until {}", invite.most_uses, accounts(invite.most_uses), invite.expires_at);
        }
        Ok(())
    }
}

fn accounts(number: i64) -> &'static str {
    if number == 1 { "account" } else { "accounts" }
}

/// Where people find chatd, with a slash at its end.
fn home(settings: &Settings) -> String {
    match &settings.public_url {
        Some(url) => format!("{}/", url.trim_end_matches('/')),
        None => format!("http://{}/", std::net::SocketAddr::new(settings.address, settings.port)),
    }
}

fn described(invite: &Stored) -> Value {
    json!({
        "id": invite.id, "made_by": invite.made_by, "note": invite.note, "created_at": invite.created_at.to_string(),
        "expires_at": invite.expires_at.to_string(), "most_uses": invite.most_uses, "uses": invite.uses,
        "revoked_at": invite.revoked_at.map(|time| time.to_string()), "open": invite.is_open(SystemClock.now()),
    })
}

impl List {
    async fn run(self, auth: &Auth) -> anyhow::Result<()> {
        let invites = auth.invites(None).await?;
        let mut out = std::io::stdout().lock();
        if self.json {
            let rows: Vec<_> = invites.iter().map(described).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
            return Ok(());
        }
        for invite in invites {
            let state = match (invite.is_open(SystemClock.now()), invite.revoked_at) {
                (true, _) => "open until",
                (false, Some(_)) => "revoked; was open until",
                (false, None) if invite.uses >= invite.most_uses => "used up; was open until",
                (false, None) => "expired",
            };
            let (id, used, most) = (invite.id, invite.uses, invite.most_uses);
            let by = invite.made_by.as_deref().unwrap_or("(command line)");
            writeln!(out, "{id:>8}  {used} of {most} used  {state} {}  {by}  {}", invite.expires_at, invite.note)?;
        }
        Ok(())
    }
}

impl Revoke {
    async fn run(self, auth: &Auth) -> anyhow::Result<()> {
        anyhow::ensure!(auth.revoke_invite(None, self.id).await?, "there is no invite {}", self.id);
        println!("invite {} is revoked", self.id);
        Ok(())
    }
}
