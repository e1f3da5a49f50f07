//! `chatd createsuperuser`.

use anyhow::Context as _;
use clap::Args;

use super::{input, open_auth};
use crate::config::Settings;

/// Make an account that may administer this server.
#[derive(Args)]
pub struct CreateSuperuser {
    /// Ask nothing: the password is in CHATD_SUPERUSER_PASSWORD
    #[arg(long, requires = "username")]
    no_input: bool,
    #[arg(long)]
    username: Option<String>,
    #[arg(long)]
    email: Option<String>,
}

impl CreateSuperuser {
    pub async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let (username, email, password) = if self.no_input {
            let password = superuser_password().context("--no-input needs CHATD_SUPERUSER_PASSWORD")?;
            (self.username.unwrap_or_default(), self.email.unwrap_or_default(), password)
        } else {
            let username = self.username.map_or_else(|| input::line("Username"), Ok)?;
            let email = self.email.map_or_else(|| input::line("Email (may be empty)"), Ok)?;
            let password = superuser_password().map_or_else(|_| input::new_password(), Ok)?;
            (username, email, password)
        };
        let (store, auth) = open_auth(settings).await?;
        let user = auth.add_account(&username, &password, &email, true, true).await?;
        store.close().await;
        println!("{} may administer this server", user.username);
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a secret for one command is no setting")]
fn superuser_password() -> Result<String, std::env::VarError> {
    std::env::var("CHATD_SUPERUSER_PASSWORD")
}
