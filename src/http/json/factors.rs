//! What clients read of second factors.

use qrcodegen::{QrCode, QrCodeEcc};
use serde::Serialize;

use crate::auth::{FactorsChanged, TotpSetUp};
use crate::store::{Factors, Passkey};

/// What one's account is proven with besides the password.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SecondFactor)]
pub struct SecondFactorJson {
    /// Whether the password alone is not enough.
    on: bool,
    /// Since when an authenticator app is on; null if none is.
    totp_since: Option<String>,
    passkeys: Vec<PasskeyJson>,
    /// How many recovery codes have not been used.
    recovery_codes: i64,
    /// Whether passkeys can be made at this address.
    passkeys_here: bool,
}

impl SecondFactorJson {
    pub fn new(factors: &Factors, passkeys_here: bool) -> Self {
        Self {
            on: factors.is_on(),
            totp_since: factors.totp.as_ref().map(|app| app.created_at.to_string()),
            passkeys: factors.passkeys.iter().map(PasskeyJson::from).collect(),
            recovery_codes: factors.recovery_codes,
            passkeys_here,
        }
    }
}

/// A passkey.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Passkey)]
pub struct PasskeyJson {
    id: i64,
    name: String,
    created_at: String,
    last_used_at: Option<String>,
}

impl From<&Passkey> for PasskeyJson {
    fn from(passkey: &Passkey) -> Self {
        Self {
            id: passkey.id,
            name: passkey.name.clone(),
            created_at: passkey.created_at.to_string(),
            last_used_at: passkey.last_used_at.map(|time| time.to_string()),
        }
    }
}

/// An authenticator app to be set up.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TotpSetUp)]
pub struct TotpSetUpJson {
    /// For confirm/, within a quarter of an hour.
    token: String,
    /// To be typed into the app: base32.
    secret: String,
    /// For the app: `otpauth://…`.
    uri: String,
    qr: QrJson,
}

/// A QR code of the address: `<path d="PATH">` in a view box of `size` by `size`.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = QrCode)]
pub struct QrJson {
    size: i32,
    path: String,
}

impl From<TotpSetUp> for TotpSetUpJson {
    fn from(set_up: TotpSetUp) -> Self {
        let qr = qr(&set_up.uri);
        Self { token: set_up.token, secret: set_up.secret, uri: set_up.uri, qr }
    }
}

/// Empty for a text that is too long for one, which none of ours is. Each run of dark modules is a rectangle.
fn qr(text: &str) -> QrJson {
    use std::fmt::Write as _;
    const BORDER: i32 = 4;
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return QrJson { size: 0, path: String::new() } };
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let run = i32::try_from(run).unwrap_or(0);
            if run > 0 {
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + BORDER, y + BORDER);
            }
            x += run.max(1);
        }
    }
    QrJson { size: code.size() + 2 * BORDER, path }
}

/// A change that was made.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FactorsChanged)]
pub struct FactorsChangedJson {
    /// New ones, told this once; null if those from before are still good.
    recovery_codes: Option<Vec<String>>,
}

impl From<&FactorsChanged> for FactorsChangedJson {
    fn from(changed: &FactorsChanged) -> Self {
        Self { recovery_codes: changed.recovery_codes.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is drawn is what was encoded, module by module.
    #[test]
    fn the_path_draws_the_code() {
        let text = "otpauth://totp/chat%2Eexample:ann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=chat%2Eexample";
        let (drawn, code) = (qr(text), QrCode::encode_text(text, QrCodeEcc::Medium).unwrap());
        let mut dark = std::collections::HashSet::new();
        for run in drawn.path.split('M').skip(1) {
            let (at, run) = run.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let (x, y): (i32, i32) = (x.parse().unwrap(), y.parse().unwrap());
            let length: i32 = run.split_once('v').unwrap().0.parse().unwrap();
            dark.extend((x..x + length).map(|x| (x - 4, y - 4)));
        }
        assert_eq!(drawn.size, code.size() + 8);
        let all = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        for (x, y) in all {
            assert_eq!(dark.contains(&(x, y)), code.get_module(x, y), "{x} {y}");
        }
    }
}
