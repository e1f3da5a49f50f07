//! The secret key, which is made on the first start.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::config::Settings;

/// Makes the secret on the first start, readable by its owner alone.
pub fn keep_secret(settings: &mut Settings) -> anyhow::Result<()> {
    if settings.secret_key.is_some() {
        return Ok(());
    }
    let path = settings.data_dir.join("secret_key");
    let key = match std::fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => text.trim().to_owned(),
        Ok(_) => anyhow::bail!("{} is damaged: it has fewer than 32 characters; remove it", path.display()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => make_secret(&path)?,
        Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
    };
    settings.secret_key = Some(key);
    Ok(())
}

fn make_secret(path: &Path) -> anyhow::Result<String> {
    let key = crate::auth::hex(&rand::random::<[u8; 32]>());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = options.open(path).and_then(|mut file| {
        writeln!(file, "{key}")?;
        file.sync_all()
    });
    write.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(key)
}
