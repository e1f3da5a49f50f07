//! `chatd user …`.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{clock, input, open_auth};
use crate::auth::{Auth, device_id};
use crate::config::Settings;
use crate::domain::{self, UserKey};
use crate::export::{Files, gather};
use crate::store::{SecondFactors as _, SqlStore, Users as _};

/// Accounts.
#[derive(Subcommand)]
pub enum User {
    /// Make an account
    Add(Add),
    /// Change an account
    Set(Set),
    /// List the accounts
    List(List),
    /// List where somebody is signed in
    Sessions(Sessions),
    /// Sign somebody out, everywhere or in one place
    SignOut(SignOut),
    /// Write everything of an account into two files
    Export(Export),
    /// Erase an account, for ever
    Erase(Erase),
}

#[derive(Args)]
pub struct Add {
    name: String,
    #[arg(long, default_value = "")]
    email: String,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Take a password that is guessed early
    #[arg(long)]
    allow_weak_password: bool,
}

#[derive(Args)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
pub struct Set {
    name: String,
    /// May sign in
    #[arg(long, group = "change", conflicts_with = "inactive")]
    active: bool,
    /// May not sign in; ends every session
    #[arg(long, group = "change")]
    inactive: bool,
    /// Read a new password from standard input; ends every session
    #[arg(long, group = "change")]
    password_stdin: bool,
    /// Take a password that is guessed early
    #[arg(long, requires = "password_stdin")]
    allow_weak_password: bool,
    /// Remove the authenticator app, passkeys and recovery codes; ends every session
    #[arg(long, group = "change")]
    no_second_factor: bool,
}

#[derive(Args)]
pub struct List {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Sessions {
    name: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct SignOut {
    name: String,
    /// This session alone, as `chatd user sessions` names it
    #[arg(long, value_name = "ID")]
    session: Option<String>,
}

#[derive(Args)]
pub struct Export {
    name: String,
    /// Where `data.jsonl` and `index.html` are made; there must be none
    directory: PathBuf,
}

#[derive(Args)]
pub struct Erase {
    name: String,
    /// It is meant: nothing brings the account back
    #[arg(long)]
    yes: bool,
}

impl User {
    pub async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let (store, auth) = open_auth(settings).await?;
        match self {
            Self::Add(add) => add.run(&auth).await?,
            Self::Set(set) => set.run(&store, &auth).await?,
            Self::List(list) => list.run(&store).await?,
            Self::Sessions(sessions) => sessions.run(&store, &auth).await?,
            Self::SignOut(sign_out) => sign_out.run(&store, &auth).await?,
            Self::Export(export) => export.run(&store).await?,
            Self::Erase(erase) => erase.run(&store, &auth).await?,
        }
        auth.flush().await;
        store.close().await;
        Ok(())
    }
}

impl Add {
    async fn run(self, auth: &Auth) -> anyhow::Result<()> {
        let password = if self.password_stdin { input::password_from_stdin()? } else { input::new_password()? };
        let user = auth
            .add_account(&self.name, &password, &self.email, false, !self.allow_weak_password)
            .await
            .with_context(|| format!("{} was not added", self.name))?;
        println!("{} added", user.username);
        Ok(())
    }
}

impl Set {
    async fn run(self, store: &SqlStore, auth: &Auth) -> anyhow::Result<()> {
        let user = find(store, &self.name).await?;
        if self.password_stdin {
            let password = input::password_from_stdin()?;
            auth.set_password(&user, &password, !self.allow_weak_password).await?;
            println!("{}: new password, every session has ended", user.username);
        }
        if self.no_second_factor {
            auth.drop_factors(&user).await?;
            println!("{} has no second factor, every session has ended", user.username);
        }
        if self.active || self.inactive {
            auth.set_active(&user, self.active).await?;
            println!(
                "{} is {}",
                user.username,
                if self.active { "active" } else { "inactive, every session has ended" }
            );
        }
        Ok(())
    }
}

impl Sessions {
    async fn run(self, store: &SqlStore, auth: &Auth) -> anyhow::Result<()> {
        let sessions = auth.devices(&find(store, &self.name).await?).await?;
        let mut out = std::io::stdout().lock();
        if self.json {
            let rows: Vec<_> = sessions
                .iter()
                .map(|session| {
                    json!({
                        "id": device_id(session), "user_agent": session.user_agent,
                        "created_at": session.created_at.to_string(), "last_used_at": session.last_used_at.to_string(),
                    })
                })
                .collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
            return Ok(());
        }
        for session in sessions {
            let (id, used, agent) = (device_id(&session), session.last_used_at, &session.user_agent);
            writeln!(out, "{id}  last used {used}  {agent}")?;
        }
        Ok(())
    }
}

impl SignOut {
    async fn run(self, store: &SqlStore, auth: &Auth) -> anyhow::Result<()> {
        let user = find(store, &self.name).await?;
        if let Some(id) = &self.session {
            let ended = auth.end_device(&user, id).await?;
            anyhow::ensure!(ended, "{} has no session {id:?}", user.username);
            println!("{}: the session has ended", user.username);
        } else {
            auth.end_other_devices(&user, None).await?;
            println!("{}: every session has ended", user.username);
        }
        Ok(())
    }
}

impl Export {
    async fn run(self, store: &SqlStore) -> anyhow::Result<()> {
        let user = find(store, &self.name).await?;
        let place = self.directory.display();
        let mut files = Files::new(&self.directory).with_context(|| format!("cannot write to {place}"))?;
        let count = gather(store, store, user.id, clock().now(), &mut files).await?;
        files.finish().with_context(|| format!("cannot write to {place}"))?;
        println!("{}: everything is in {place}, with {count} messages", user.username);
        Ok(())
    }
}

impl Erase {
    async fn run(self, store: &SqlStore, auth: &Auth) -> anyhow::Result<()> {
        let user = find(store, &self.name).await?;
        anyhow::ensure!(
            self.yes,
            "{} would be erased for ever: name, mail address, password, profile, sessions, and the text of the notes to \
             self; what was written to others stays with them. Say --yes if that is meant",
            user.username
        );
        auth.erase(&user).await.with_context(|| format!("{} was not erased", user.username))?;
        println!("{} is erased", user.username);
        Ok(())
    }
}

async fn find(store: &SqlStore, name: &str) -> anyhow::Result<domain::User> {
    let user = match UserKey::new(name) {
        Some(key) => store.user_by_key(&key).await?,
        None => None,
    };
    user.with_context(|| format!("there is no user {name:?}"))
}

impl List {
    async fn run(self, store: &SqlStore) -> anyhow::Result<()> {
        let users = store.all_users().await?;
        let factors: HashSet<_> = store.users_with_factors().await?.into_iter().collect();
        let mut out = std::io::stdout().lock();
        if self.json {
            let rows: Vec<_> = users.iter().map(|user| json!({
                "id": user.id, "username": user.username, "email": user.email, "is_active": user.is_active,
                "is_staff": user.is_staff, "is_superuser": user.is_superuser,
                "date_joined": user.date_joined.to_string(), "last_login": user.last_login.map(|t| t.to_string()),
                "second_factor": factors.contains(&user.id),
            })).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
            return Ok(());
        }
        for user in users {
            let second = factors.contains(&user.id);
            let marks =
                [(!user.is_active, " (inactive)"), (user.is_superuser, " (superuser)"), (second, " (second factor)")];
            let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
            writeln!(out, "{:>8}  {}{marks}", user.id, user.username)?;
        }
        Ok(())
    }
}
