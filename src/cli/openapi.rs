//! `chatd openapi`.

use std::io::Write as _;

/// Prints the description. Needs no settings and no database.
pub fn run() -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(&crate::http::openapi())?;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
