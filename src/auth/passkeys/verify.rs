//! What an authenticator says, and whether it is true: W3C's Web Authentication, level 3, sections 7.1 and 7.2, for a
//! server that asks for no attestation. Nothing here knows accounts or time: it is bytes in, and yes or no out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use ring::signature::{UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use super::Site;
use super::cbor::{self, Item};

/// Of COSE, what is taken, in the order in which it is asked for: ES256, EdDSA, RS256.
pub const ALGORITHMS: [i64; 3] = [-7, -8, -257];
/// The longest name of a credential, and the longest key, in bytes.
const LONGEST_ID: usize = 1023;
const LONGEST_KEY: usize = 2048;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// Why it is not true: for the log. The client is told none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it cannot be read")]
    Form,
    #[error("it was made for something else")]
    Kind,
    #[error("it was made for another site")]
    Origin,
    #[error("it was made inside of another site's page")]
    CrossOrigin,
    #[error("it belongs to another RP id")]
    RpId,
    #[error("nobody was present")]
    NobodyPresent,
    #[error("the authenticator has not verified who is there")]
    NotVerified,
    #[error("it is backed up and must not be")]
    Backup,
    #[error("its key is of a kind that was not asked for")]
    Key,
    #[error("the signature is wrong")]
    Signature,
    #[error("the challenge is not ours, too old, or was used")]
    Challenge,
    #[error("nobody has this passkey")]
    Unknown,
    #[error("it is somebody else's")]
    Owner,
    #[error("its count of signatures went back: there may be a copy of it")]
    SignCount,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: Option<bool>,
}

/// What a browser was asked to do.
#[derive(Clone, Copy, Debug)]
pub enum Asked {
    ToMake,
    ToShow,
}

/// Text as it comes in the requests: base64url, with its padding or without.
pub fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| Refusal::Form)
}

/// The challenge that the browser answers, on this site. Whether it is ours is for the caller to see.
pub fn challenge(client_data: &[u8], asked: Asked, site: &Site) -> Result<String, Refusal> {
    let data: ClientData = serde_json::from_slice(client_data).map_err(|_| Refusal::Form)?;
    let kind = match asked {
        Asked::ToMake => "webauthn.create",
        Asked::ToShow => "webauthn.get",
    };
    if data.kind != kind {
        return Err(Refusal::Kind);
    }
    if data.origin != site.origin {
        return Err(Refusal::Origin);
    }
    if data.cross_origin == Some(true) {
        return Err(Refusal::CrossOrigin);
    }
    Ok(data.challenge)
}

/// What an authenticator says of itself.
#[derive(Debug)]
pub struct AuthenticatorData<'a> {
    rp_id_hash: &'a [u8],
    flags: u8,
    pub sign_count: u32,
    credential: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> AuthenticatorData<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        Self::read(bytes).ok_or(Refusal::Form)
    }

    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (rp_id_hash, rest) = bytes.split_at_checked(32)?;
        let (head, mut rest) = rest.split_at_checked(5)?;
        let flags = head[0];
        let sign_count = u32::from_be_bytes(head[1..].try_into().ok()?);
        let mut credential = None;
        if flags & HAS_CREDENTIAL != 0 {
            let (head, more) = rest.split_at_checked(18)?;
            let length = usize::from(u16::from_be_bytes(head[16..].try_into().ok()?));
            let (id, more) = more.split_at_checked(length)?;
            let (_, after) = cbor::read(more)?;
            credential = Some((id, &more[..more.len() - after.len()]));
            rest = after;
        }
        if flags & HAS_EXTENSIONS != 0 {
            (_, rest) = cbor::read(rest)?;
        }
        rest.is_empty().then_some(Self { rp_id_hash, flags, sign_count, credential })
    }

    /// For this site, by a person who was there and whom the authenticator has verified.
    pub fn check(&self, site: &Site) -> Result<(), Refusal> {
        let expected = Sha256::digest(site.rp_id.as_bytes());
        if !bool::from(expected.as_slice().ct_eq(self.rp_id_hash)) {
            return Err(Refusal::RpId);
        }
        let has = |flag: u8| self.flags & flag != 0;
        match () {
            () if !has(USER_PRESENT) => Err(Refusal::NobodyPresent),
            () if !has(USER_VERIFIED) => Err(Refusal::NotVerified),
            () if has(BACKED_UP) && !has(BACKUP_ELIGIBLE) => Err(Refusal::Backup),
            () => Ok(()),
        }
    }
}

/// A credential that was just made.
#[derive(Debug, PartialEq, Eq)]
pub struct Made {
    pub credential_id: Vec<u8>,
    pub public_key: Vec<u8>,
    pub sign_count: u32,
}

/// Reads and checks what an authenticator has made. Its attestation is not looked at: none was asked for.
pub fn made(attestation_object: &[u8], site: &Site) -> Result<Made, Refusal> {
    let (object, rest) = cbor::read(attestation_object).ok_or(Refusal::Form)?;
    let data = object.get(&Item::Text("authData")).and_then(Item::bytes).filter(|_| rest.is_empty());
    let data = AuthenticatorData::parse(data.ok_or(Refusal::Form)?)?;
    data.check(site)?;
    let (id, key) = data.credential.ok_or(Refusal::Form)?;
    if id.is_empty() || id.len() > LONGEST_ID || key.len() > LONGEST_KEY {
        return Err(Refusal::Form);
    }
    PublicKey::parse(key)?;
    Ok(Made { credential_id: id.to_vec(), public_key: key.to_vec(), sign_count: data.sign_count })
}

/// Checks the signature of an assertion.
pub fn signed(
    public_key: &[u8],
    authenticator_data: &[u8],
    client_data: &[u8],
    signature: &[u8],
) -> Result<(), Refusal> {
    let message = [authenticator_data, &Sha256::digest(client_data)].concat();
    PublicKey::parse(public_key)?.verify(&message, signature)
}

enum PublicKey<'a> {
    /// A point, uncompressed.
    P256(Vec<u8>),
    Ed25519(&'a [u8]),
    Rsa {
        n: &'a [u8],
        e: &'a [u8],
    },
}

impl<'a> PublicKey<'a> {
    /// A key in COSE's form (RFC 9053): each kind with the one algorithm that it is used with.
    fn parse(cose: &'a [u8]) -> Result<Self, Refusal> {
        Self::read(cose).ok_or(Refusal::Key)
    }

    fn read(cose: &'a [u8]) -> Option<Self> {
        let (key, rest) = cbor::read(cose)?;
        let int = |name: i64| key.get(&Item::Int(name))?.int();
        let bytes = |name: i64| key.get(&Item::Int(name))?.bytes();
        if !rest.is_empty() {
            return None;
        }
        match (int(1)?, int(3)?) {
            (2, -7) if int(-1)? == 1 => {
                let (x, y) = (bytes(-2)?, bytes(-3)?);
                (x.len() == 32 && y.len() == 32).then(|| Self::P256([&[4], x, y].concat()))
            }
            (1, -8) if int(-1)? == 6 => bytes(-2).filter(|x| x.len() == 32).map(Self::Ed25519),
            (3, -257) => Some(Self::Rsa { n: without_zeros(bytes(-1)?), e: without_zeros(bytes(-2)?) }),
            _ => None,
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        let by = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(message, signature)
        };
        let verdict = match self {
            Self::P256(point) => by(&ECDSA_P256_SHA256_ASN1, point),
            Self::Ed25519(key) => by(&ED25519, key),
            Self::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        };
        verdict.map_err(|_| Refusal::Signature)
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rand::rngs::SmallRng;
    use rand::{Rng as _, SeedableRng as _};
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

    use super::*;

    fn site() -> Site {
        Site { rp_id: "chat.example".to_owned(), origin: "https://chat.example".to_owned() }
    }

    fn client_data(kind: &str, origin: &str, more: &str) -> String {
        format!(r#"{{"type":"{kind}","challenge":"abc","origin":"{origin}"{more}}}"#)
    }

    fn p256() -> (EcdsaKeyPair, Vec<u8>) {
        let (rng, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &rng).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &rng).unwrap();
        let point = pair.public_key().as_ref();
        let cose =
            [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..], &point[1..33], &[0x22, 0x58, 32], &point[33..]];
        let cose = cose.concat();
        (pair, cose)
    }

    fn data(flags: u8, rest: &[u8]) -> Vec<u8> {
        [&Sha256::digest(b"chat.example")[..], &[flags], &7u32.to_be_bytes(), rest].concat()
    }

    fn attestation(auth_data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(auth_data.len()).unwrap().to_be_bytes();
        let head =
            [&[0xa3, 0x63][..], b"fmt", &[0x64], b"none", &[0x67], b"attStmt", &[0xa0, 0x68], b"authData", &[0x59]];
        [&head.concat()[..], &length, auth_data].concat()
    }

    fn new_credential(cose: &[u8]) -> Vec<u8> {
        data(0x45, &[&[0; 16][..], &[0, 4], b"name", cose].concat())
    }

    #[test]
    fn the_browser_says_what_was_asked_on_which_site() {
        let of = |text: &str| challenge(text.as_bytes(), Asked::ToShow, &site());
        let good = "https://chat.example";
        assert_eq!(of(&client_data("webauthn.get", good, "")), Ok("abc".to_owned()));
        assert_eq!(of(&client_data("webauthn.get", good, r#","crossOrigin":false,"x":[]"#)), Ok("abc".to_owned()));
        assert_eq!(of(&client_data("webauthn.create", good, "")), Err(Refusal::Kind));
        assert_eq!(of(&client_data("webauthn.get", good, r#","crossOrigin":true"#)), Err(Refusal::CrossOrigin));
        for origin in ["http://chat.example", "https://chat.example:8443", "https://evil.example", "null", ""] {
            assert_eq!(of(&client_data("webauthn.get", origin, "")), Err(Refusal::Origin), "{origin}");
        }
        for bad in ["", "{}", "[]", r#"{"type":1}"#] {
            assert_eq!(of(bad), Err(Refusal::Form), "{bad}");
        }
    }

    #[test]
    fn the_authenticator_says_for_whom_and_that_somebody_was_there() {
        let check = |bytes: &[u8]| AuthenticatorData::parse(bytes).and_then(|data| data.check(&site()));
        for good in [0x05, 0x0d, 0x1d] {
            assert_eq!(check(&data(good, &[])), Ok(()), "{good:x}");
        }
        assert_eq!(check(&data(0x85, &[0xa0])), Ok(()));
        for (flags, why) in [(0x04, Refusal::NobodyPresent), (0x01, Refusal::NotVerified), (0x15, Refusal::Backup)] {
            assert_eq!(check(&data(flags, &[])), Err(why), "{flags:x}");
        }
        for bad in [data(0x05, &[0]), data(0x85, &[]), data(0x45, &[0; 18]), vec![0; 36]] {
            assert_eq!(check(&bad), Err(Refusal::Form), "{bad:02x?}");
        }
        let elsewhere = Site { rp_id: "example".to_owned(), ..site() };
        let bytes = data(0x05, &[]);
        assert_eq!(AuthenticatorData::parse(&bytes).and_then(|data| data.check(&elsewhere)), Err(Refusal::RpId));
    }

    #[test]
    fn a_credential_is_made_and_shown() {
        let (pair, cose) = p256();
        let made = made(&attestation(&new_credential(&cose)), &site()).unwrap();
        assert_eq!(made, Made { credential_id: b"name".to_vec(), public_key: cose, sign_count: 7 });
        let (shown, client) = (data(0x05, &[]), b"client data");
        let message = [&shown[..], &Sha256::digest(client)].concat();
        let signature = pair.sign(&SystemRandom::new(), &message).unwrap();
        assert_eq!(signed(&made.public_key, &shown, client, signature.as_ref()), Ok(()));
        assert_eq!(signed(&made.public_key, &shown, b"others", signature.as_ref()), Err(Refusal::Signature));
        assert_eq!(signed(&made.public_key, &data(0x05, &[0]), client, signature.as_ref()), Err(Refusal::Signature));
        assert_eq!(signed(&p256().1, &shown, client, signature.as_ref()), Err(Refusal::Signature));
    }

    #[test]
    fn keys_of_edwards_curve_too_and_no_others() {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        let cose = [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32][..], pair.public_key().as_ref()].concat();
        let (shown, client) = (data(0x05, &[]), b"client data");
        let message = [&shown[..], &Sha256::digest(client)].concat();
        assert_eq!(signed(&cose, &shown, client, pair.sign(&message).as_ref()), Ok(()));
        assert_eq!(signed(&cose, &shown, client, &[0; 64]), Err(Refusal::Signature));
        for at in [2, 4, 6] {
            let mut other = cose.clone();
            other[at] ^= 1;
            assert_eq!(signed(&other, &shown, client, &[0; 64]), Err(Refusal::Key), "{at}");
        }
        assert_eq!(signed(&[&cose[..], &[0]].concat(), &shown, client, &[0; 64]), Err(Refusal::Key));
    }

    /// Made with another program; its private key was thrown away.
    #[test]
    fn rsa_too() {
        let read = |text: &str| STANDARD.decode(text).unwrap();
        let n = read(
            "1BPc4S9r9YCRiGifW1SH8qrur/sUBOMtt4CgkaqD9sM21BRUWPfg3JDefhkDPhwAjX6QDAMM2j+KhOm/zoAu+4cBmfU2m29DkIC6\
        4xhOm4xxk7R8NLw7XcBSVEouQIzCwtNrnaYmuZ0VNzIwEQvC2eQBzok7UxBlByl76p9FDa3K5d5/DbML89aKcL3x6on6ty2Odmg9\
        BIM0OlM+mZajam0fuZ923z0/DgEyEUwBoSOEjeTMGrQv2i0H+shAlePbLuGe6fPUSXgbth73dZxHnp13cEbKo9xojyE6gPA+ZhaD\
        du9yEyPtk82T2Q+3GakxojP6wvLQalf2d/lbgOcOrQ==",
        );
        let signature = read(
            "O22niUbZUv+DY2Sq4Mnk6IL12k7qX5MrhLZHimLLBBe4NdlbHp6Ilw7xUaFztpE7HO9lYQHqzAVHCtTc/xSt4BHAceAvJZO+tTp6\
        XifhiAphYR5fd7XoZWn0Zh3XOu/VCnKKozZzO4jnRU6QhlQmCLJz6SnaAjGGY4lqJPIe4PKyFm1oJYC6qmyj/K/Q6PpjNQvflC4Z\
        6b/WYujL3k/ku183abZGQyCR6eiItJIAv+Qclkqs+P9wSFapxIKT6mFigPshf25sk5/7iX5XRo3nBx2WVdZ6MbZRmeoi2aunw+zg\
        bSXfUcM2UIf+51Vagc9uOg0giZ1rXp44q/Y/vdgc0g==",
        );
        let cose = [&[0xa4, 1, 3, 3, 0x39, 1, 0, 0x20, 0x59, 1, 0][..], &n, &[0x21, 0x43, 1, 0, 1]].concat();
        let (shown, client) = (data(0x05, &[]), b"client data");
        assert_eq!(signed(&cose, &shown, client, &signature), Ok(()));
        assert_eq!(signed(&cose, &shown, b"others", &signature), Err(Refusal::Signature));
        let mut other = cose.clone();
        other[100] ^= 1;
        assert_eq!(signed(&other, &shown, client, &signature), Err(Refusal::Signature));
        // Short keys are worth nothing.
        let short = [&[0xa4, 1, 3, 3, 0x39, 1, 0, 0x20, 0x58, 64][..], &n[..64], &[0x21, 0x43, 1, 0, 1]].concat();
        assert_eq!(signed(&short, &shown, client, &signature[..64]), Err(Refusal::Signature));
    }

    /// Whatever is changed in a true one, nothing panics, and no other key or name comes of it unnoticed.
    #[test]
    fn generated_credentials() {
        let mut random = SmallRng::seed_from_u64(1);
        let (_, cose) = p256();
        let good = attestation(&new_credential(&cose));
        for _ in 0..200_000 {
            let mut bytes = good.clone();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..bytes.len());
                match random.random_range(0..4) {
                    0 => bytes[at] = random.random(),
                    1 => bytes.truncate(at.max(1)),
                    2 => bytes.insert(at, random.random()),
                    _ => bytes[at] ^= 1 << random.random_range(0..8),
                }
            }
            if let Ok(made) = made(&bytes, &site()) {
                assert!(made.credential_id.len() <= LONGEST_ID && made.public_key.len() <= LONGEST_KEY);
                assert!(PublicKey::parse(&made.public_key).is_ok());
                let _ = signed(&made.public_key, &bytes, &bytes, &bytes);
            }
            let _ = AuthenticatorData::parse(&bytes).map(|data| data.check(&site()));
            let _ = challenge(&bytes, Asked::ToMake, &site());
        }
    }
}
