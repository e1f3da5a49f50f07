//! A person's second factors: an authenticator app, and the steps that lead to it.

use chatd::auth::totp;
use chatd::domain::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::server::{Answer, Client, World, password};

pub const FACTOR: &str = "/api/v1/account/second-factor/";
pub const SESSION: &str = "/api/v1/session/";
pub const STEP: &str = "/api/v1/session/second-step/";

/// An app that has taken the secret over.
pub struct App {
    secret: Vec<u8>,
}

impl App {
    /// The code of this moment, or so many steps later.
    pub fn code(&self, later: i64) -> String {
        totp::code(&self.secret, totp::step(SystemClock.now()) + later)
    }

    /// The secret in the hex of the databases.
    pub fn hex(&self) -> String {
        self.secret.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// A code that nobody takes.
    pub fn wrong(&self) -> String {
        let taken = [-2, -1, 0, 1, 2, 3].map(|step| self.code(step));
        (0..100).map(|n| format!("{n:06}")).find(|code| !taken.contains(code)).expect("six are taken")
    }
}

fn from_base32(text: &str) -> Vec<u8> {
    let digit = |c| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).expect("a digit of base32");
    let bits: Vec<_> = text.chars().map(digit).flat_map(|digit| (0..5).rev().map(move |i| digit >> i & 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | *bit as u8)).collect()
}

/// Sets an app up, up to the moment when its first code is wanted: the app and the token.
pub async fn begin(client: &Client, name: &str) -> (App, String) {
    let begun = client.post(FACTOR, &json!({"current_password": password(name)})).await.expect(200);
    let text = |key: &str| begun[key].as_str().expect("a text").to_owned();
    assert!(text("uri").contains(&format!("secret={}&", text("secret"))), "{begun}");
    (App { secret: from_base32(&text("secret")) }, text("token"))
}

/// Turns an app on; it and the recovery codes. The steps up to the present one are used, the next ones are not.
pub async fn turn_on(client: &Client, name: &str) -> (App, Vec<String>) {
    let (app, token) = begin(client, name).await;
    let body = json!({"token": token, "code": app.code(0)});
    let on = client.post(&format!("{FACTOR}confirm/"), &body).await.expect(200);
    let codes = on["recovery_codes"].as_array().expect("codes").iter();
    (app, codes.map(|code| code.as_str().expect("a text").to_owned()).collect())
}

/// Makes every code of the app good again: half a minute need not be waited for.
pub async fn forget_steps(world: &World) {
    super::backend::run(&world.database.url, "UPDATE totp SET last_step = 0").await;
}

/// The first step: what is answered to the right password.
pub async fn first_step(client: &Client, name: &str) -> Value {
    let answer = client.post(SESSION, &json!({"username": name, "password": password(name)})).await;
    assert!(answer.header("set-cookie").is_none(), "no session yet: {answer:?}");
    answer.expect(403)
}

/// The token of the first step.
pub async fn pending(client: &Client, name: &str) -> String {
    first_step(client, name).await["token"].as_str().expect("a token").to_owned()
}

/// The second step.
pub async fn second_step(client: &Client, token: &str, code: &str) -> Answer {
    client.post(STEP, &json!({"token": token, "code": code})).await
}
