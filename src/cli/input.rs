//! Asking the operator. There is no prompt where nobody sits.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;

/// Asks for a line on the terminal.
pub fn line(prompt: &str) -> anyhow::Result<String> {
    anyhow::ensure!(std::io::stdin().is_terminal(), "nobody to ask for {prompt:?}: standard input is no terminal");
    let mut out = std::io::stderr();
    write!(out, "{prompt}: ").and_then(|()| out.flush()).context("the terminal cannot be written")?;
    let mut text = String::new();
    std::io::stdin().lock().read_line(&mut text).context("the terminal cannot be read")?;
    Ok(text.trim().to_owned())
}

/// Asks for a password twice, unseen.
pub fn new_password() -> anyhow::Result<String> {
    anyhow::ensure!(
        std::io::stdin().is_terminal(),
        "nobody to ask for a password: standard input is no terminal (--password-stdin reads it)"
    );
    let first = rpassword::prompt_password("Password: ")?;
    let again = rpassword::prompt_password("Password, once more: ")?;
    anyhow::ensure!(first == again, "the two passwords are not the same");
    Ok(first)
}

/// The password on standard input, without its line end.
pub fn password_from_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(4096).read_to_string(&mut text).context("the password on standard input cannot be read")?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}
