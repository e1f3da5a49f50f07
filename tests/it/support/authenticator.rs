//! An authenticator in software, and as much of a browser as speaks to it. Everything that it says can be made wrong.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const PRESENT: u8 = 1;
pub const VERIFIED: u8 = 4;
const HAS_CREDENTIAL: u8 = 64;

pub struct Authenticator {
    pub key: EcdsaKeyPair,
    pub credential_id: Vec<u8>,
    pub user_handle: String,
    pub rp_id: String,
    pub origin: String,
    pub cross_origin: bool,
    pub flags: u8,
    /// What it signs next; none is one that does not count.
    pub count: Option<u32>,
}

impl Authenticator {
    pub fn new(rp_id: &str, origin: &str) -> Self {
        let (rng, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &rng).expect("a key");
        Self {
            key: EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &rng).expect("a key"),
            credential_id: rand::random::<[u8; 32]>().to_vec(),
            user_handle: String::new(),
            rp_id: rp_id.to_owned(),
            origin: origin.to_owned(),
            cross_origin: false,
            flags: PRESENT | VERIFIED,
            count: None,
        }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["publicKey"]["challenge"];
        let data = json!({
            "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin,
        });
        data.to_string().into_bytes()
    }

    fn data(&self, more: u8, rest: &[u8]) -> Vec<u8> {
        let count = self.count.unwrap_or(0).to_be_bytes();
        [&Sha256::digest(self.rp_id.as_bytes())[..], &[self.flags | more], &count, rest].concat()
    }

    fn public_key(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..], &point[1..33], &[0x22, 0x58, 32], &point[33..]].concat()
    }

    /// What a browser gives for a credential that was made as these options say.
    pub fn make(&mut self, name: &str, options: &Value) -> Value {
        self.user_handle = options["publicKey"]["user"]["id"].as_str().expect("a handle").to_owned();
        let length = u16::try_from(self.credential_id.len()).expect("short").to_be_bytes();
        let data =
            self.data(HAS_CREDENTIAL, &[&[0; 16], &length[..], &self.credential_id, &self.public_key()].concat());
        let length = u16::try_from(data.len()).expect("short").to_be_bytes();
        let head =
            [&[0xa3, 0x63][..], b"fmt", &[0x64], b"none", &[0x67], b"attStmt", &[0xa0, 0x68], b"authData", &[0x59]];
        let object = [&head.concat()[..], &length, &data].concat();
        let client_data = self.client_data("webauthn.create", options);
        json!({"name": name, "client_data": text(&client_data), "attestation_object": text(&object)})
    }

    /// What a browser gives for a credential that is shown as these options say.
    pub fn show(&mut self, options: &Value) -> Value {
        let (data, client_data) = (self.data(0, &[]), self.client_data("webauthn.get", options));
        self.count = self.count.map(|count| count + 1);
        let message = [&data[..], &Sha256::digest(&client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &message).expect("it signs");
        json!({
            "credential_id": text(&self.credential_id), "client_data": text(&client_data),
            "authenticator_data": text(&data), "signature": text(signature.as_ref()), "user_handle": self.user_handle,
        })
    }
}

pub fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// These fields and those.
pub fn with(one: &Value, more: Value) -> Value {
    let (mut all, Value::Object(more)) = (one.clone(), more) else { panic!("an object") };
    all.as_object_mut().expect("an object").extend(more);
    all
}
