//! `chatd user …`.

use std::io::Write as _;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{input, open_auth};
use crate::auth::Auth;
use crate::config::Settings;
use crate::domain::{self, UserKey};
use crate::store::{SqlStore, Users as _};

/// Accounts.
#[derive(Subcommand)]
pub enum User {
    /// Make an account
    Add(Add),
    /// Change an account
    Set(Set),
    /// List the accounts
    List(List),
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
}

#[derive(Args)]
pub struct List {
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl User {
    pub async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let (store, auth) = open_auth(settings).await?;
        match self {
            Self::Add(add) => add.run(&auth).await?,
            Self::Set(set) => set.run(&store, &auth).await?,
            Self::List(list) => list.run(&store).await?,
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
        let mut out = std::io::stdout().lock();
        if self.json {
            let rows: Vec<_> = users.iter().map(|user| json!({
                "id": user.id, "username": user.username, "email": user.email, "is_active": user.is_active,
                "is_staff": user.is_staff, "is_superuser": user.is_superuser,
                "date_joined": user.date_joined.to_string(), "last_login": user.last_login.map(|t| t.to_string()),
            })).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
            return Ok(());
        }
        for user in users {
            let marks = [(!user.is_active, " (inactive)"), (user.is_superuser, " (superuser)")];
            let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
            writeln!(out, "{:>8}  {}{marks}", user.id, user.username)?;
        }
        Ok(())
    }
}
