//! Generated input for the files of settings.

use super::Settings;
use super::layers::load_texts;

/// Two files load, or the error names a key or a file; what loads is valid, and no secret is shown either way.
/// The input: `Rocket.toml`, a zero byte, `local_settings.toml`.
pub fn settings(data: &[u8]) {
    let mut files = data.splitn(2, |byte| *byte == 0).map(String::from_utf8_lossy);
    let (rocket, local) = (files.next().unwrap_or_default(), files.next().unwrap_or_default());
    match load_texts(&rocket, &local) {
        Ok(loaded) => check(&loaded.settings),
        Err(error) => {
            let lines = error.0.lines();
            for line in lines {
                let (source, what) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?} says not what is wrong"));
                assert!(!source.is_empty() && !what.is_empty(), "{line:?}");
            }
            assert!(!error.0.is_empty());
        }
    }
    // A word that stands where only a secret stands is never said, whatever else is wrong around it.
    let secret = "hush-this-is-the-secret-of-the-file";
    let places = [
        ("secret_key = \"", "\"\n"),
        ("DATABASE_URL = 'mysql://a:", "@b/c'\n"),
        ("secret_key = ", "\n"),
        ("EMAIL_URL = 'smtp://a:", "@b'\n"),
    ];
    let (before, after) = places[data.len() % places.len()];
    let said = match load_texts(&rocket, &format!("{before}{secret}{after}{local}")) {
        Ok(loaded) => format!("{:?}{:?}", loaded.settings, loaded.warnings),
        Err(error) => error.0,
    };
    assert!(!said.contains(secret), "{said}");
}

fn check(settings: &Settings) {
    assert!(settings.validate().is_empty());
    let base = settings.base();
    assert!(base.starts_with('/') && base.ends_with('/') && !base.contains("//"), "{base}");
    if let Some(origin) = settings.origin() {
        assert!(!origin.host.is_empty() && origin.host == origin.host.to_ascii_lowercase());
        let anew = format!("{}://{}{}", if origin.https { "https" } else { "http" }, origin.host, origin.base);
        assert_eq!(super::Origin::parse(&anew), Some(origin), "{anew}");
    }
    assert_eq!(settings.proxies().len(), settings.trusted_proxies.len());
    assert!(settings.body_limit() > settings.message_max_length);
}
