//! `serve --demo`.

use std::sync::Arc;

use crate::auth::Hasher;
use crate::store::{SqlStore, Users as _};

const TWO: [&str; 2] = ["ann", "bob"];
const PASSWORD: &str = "demo-password";

/// Fills an empty database; one that has been filled by a demo before is shown again.
pub async fn fill(store: &Arc<SqlStore>) -> anyhow::Result<()> {
    let users = store.all_users().await?;
    if users.iter().any(|user| user.username == TWO[0]) && users.iter().any(|user| user.username == TWO[1]) {
        return Ok(());
    }
    anyhow::ensure!(
        users.is_empty(),
        "serve --demo fills an empty database, and this one has {} users; give it another with --data-dir",
        users.len()
    );
    let hash = Hasher::default().hash(PASSWORD).await?;
    super::test_data::demo(store, TWO, &hash).await
}

/// What is printed.
pub fn sign_ins(url: &str) -> String {
    let rows = TWO.map(|name| format!("  {name:5} {PASSWORD}"));
    format!("Open {url} in two windows (one of them private) and sign in as\n{}", rows.join("\n"))
}
