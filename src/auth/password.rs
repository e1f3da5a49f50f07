//! Password hashing: argon2id, and Django's PBKDF2 for accounts that come from the predecessor.

use argon2::password_hash::{Output, ParamsString, PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// 46 MiB, one pass, one lane: OWASP's first choice for argon2id.
const MEMORY_KIB: u32 = 46 * 1024;

/// The most that a stored hash may ask for: 1 GiB, 16 passes, 16 lanes; and what PBKDF2 may, which is more than Django
/// has ever used. More is a way to keep this server busy.
const MOST_MEMORY_KIB: u32 = 1 << 20;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 16;
const MOST_ROUNDS: u32 = 2_000_000;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub is_right: bool,
    /// A better hash of the same password, when the stored one is outdated.
    pub rehashed: Option<String>,
}

fn argon() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, 1, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// What argon2 works in. Fresh memory costs more than the work in it, since the system has to bring and to clear each
/// page: whoever checks one password after another keeps it.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    /// Whether it is of a usual size: a hash that came from somewhere else may have asked for more.
    pub(super) fn is_worth_keeping(&self) -> bool {
        (1..=MEMORY_KIB as usize).contains(&self.0.len())
    }

    /// Fills `output`; false for a salt or a length that argon2 does not take.
    fn work(&mut self, argon: &Argon2<'_>, password: &[u8], salt: &[u8], output: &mut [u8]) -> bool {
        let needed = argon.params().block_count();
        if self.0.len() < needed {
            // Not grown: the old one would be copied, and be there beside it.
            self.0 = Vec::new();
            self.0 = vec![Block::default(); needed];
        }
        argon.hash_password_into_with_memory(password, salt, output, &mut self.0[..needed]).is_ok()
    }
}

/// NFC, so that an accent typed on one keyboard is the accent typed on another.
fn normal(password: &str) -> String {
    unicode_normalization::UnicodeNormalization::nfc(password).collect()
}

/// An empty hash (which nothing fits) if the system has no randomness left.
pub(super) fn hash(password: &str, memory: &mut Memory) -> String {
    const BYTES: usize = Params::DEFAULT_OUTPUT_LEN;
    let (argon, bytes, mut output) = (argon(), rand::random::<[u8; 16]>(), [0; BYTES]);
    let mut phc = || {
        let salt = SaltString::encode_b64(&bytes).ok()?;
        memory.work(&argon, normal(password).as_bytes(), &bytes, &mut output).then_some(())?;
        let phc = PasswordHash {
            algorithm: argon2::ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(argon.params()).ok()?,
            salt: Some(salt.as_salt()),
            hash: Some(Output::new(&output).ok()?),
        };
        Some(phc.to_string())
    };
    phc().unwrap_or_default()
}

pub(super) fn verify(stored: Option<&str>, password: &str, memory: &mut Memory) -> Verdict {
    let (is_right, is_current) = match Stored::parse(stored.unwrap_or_default()) {
        Stored::Argon(parsed) => {
            let is_right = fits(&parsed, normal(password).as_bytes(), memory).unwrap_or(false);
            (is_right, is_current(&parsed))
        }
        Stored::Django(django) => (django.fits(password), false),
        Stored::Unusable => {
            // Or no such user: cost what a check costs.
            drop(hash(password, memory));
            return Verdict::default();
        }
    };
    Verdict { is_right, rehashed: (is_right && !is_current).then(|| hash(password, memory)) }
}

/// None for a hash that is incomplete.
fn fits(stored: &PasswordHash<'_>, password: &[u8], memory: &mut Memory) -> Option<bool> {
    let (expected, version) = (stored.hash?, stored.version.map(Version::try_from).transpose().ok()?);
    let argon = Argon2::new(
        Algorithm::try_from(stored.algorithm).ok()?,
        version.unwrap_or_default(),
        Params::try_from(stored).ok()?,
    );
    let (mut salt, mut output) = ([0; 64], vec![0; expected.len()]);
    let salt = stored.salt?.decode_b64(&mut salt).ok()?;
    Some(memory.work(&argon, password, salt, &mut output) && output.ct_eq(expected.as_bytes()).into())
}

fn is_current(hash: &PasswordHash<'_>) -> bool {
    Params::try_from(hash).is_ok_and(|p| (p.m_cost(), p.t_cost(), p.p_cost()) == (MEMORY_KIB, 1, 1))
        && hash.algorithm == argon2::ARGON2ID_IDENT
}

/// Whether it is one of argon2's, and within the limits. They are looked at first, also where one is given twice: the
/// library reckons with what the hash says, and some numbers are too large for that.
fn is_affordable(hash: &PasswordHash<'_>) -> bool {
    let most = |name: &str| match name {
        "m" => MOST_MEMORY_KIB,
        "t" => MOST_PASSES,
        "p" => MOST_LANES,
        _ => u32::MAX,
    };
    Algorithm::try_from(hash.algorithm).is_ok()
        && hash.params.iter().all(|(name, value)| value.decimal().is_ok_and(|n| n <= most(name.as_str())))
        && Params::try_from(hash).is_ok()
}

/// A stored hash, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored<'a> {
    Argon(PasswordHash<'a>),
    Django(Django<'a>),
    /// Nothing fits it.
    Unusable,
}

impl<'a> Stored<'a> {
    /// Never asks for more work or memory than the limits: a hash may have come from somewhere else.
    pub(super) fn parse(text: &'a str) -> Self {
        if let Some(rest) = text.strip_prefix("pbkdf2_sha256$") {
            return Django::parse(rest).map_or(Self::Unusable, Self::Django);
        }
        match PasswordHash::new(text) {
            Ok(hash) if is_affordable(&hash) => Self::Argon(hash),
            _ => Self::Unusable,
        }
    }
}

/// `pbkdf2_sha256$ITERATIONS$SALT$HASH`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Django<'a> {
    pub rounds: u32,
    pub salt: &'a str,
    pub expected: Vec<u8>,
}

impl<'a> Django<'a> {
    fn parse(rest: &'a str) -> Option<Self> {
        let mut parts = rest.split('$');
        let rounds = parts.next()?.parse().ok()?;
        let (salt, expected) = (parts.next()?, STANDARD.decode(parts.next()?).ok()?);
        if parts.next().is_some() || !(1..=MOST_ROUNDS).contains(&rounds) || expected.len() != 32 {
            return None;
        }
        Some(Self { rounds, salt, expected })
    }

    pub(super) fn fits(&self, password: &str) -> bool {
        let found = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), self.salt.as_bytes(), self.rounds);
        found.ct_eq(self.expected.as_slice()).into()
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

    use super::{hash as hash_in, verify as verify_in, *};

    fn hash(password: &str) -> String {
        hash_in(password, &mut Memory::default())
    }

    fn verify(stored: Option<&str>, password: &str) -> Verdict {
        verify_in(stored, password, &mut Memory::default())
    }

    /// Others read what is stored here, and the memory of one check says nothing to the next.
    #[test]
    fn a_hash_is_what_the_library_makes_of_it_in_memory_that_was_used_before() {
        let mut memory = Memory::default();
        for password in ["correct horse", "\u{e9}tude-1", ""] {
            let ours = hash_in(password, &mut memory);
            let parsed = PasswordHash::new(&ours).unwrap();
            assert_eq!(argon().verify_password(normal(password).as_bytes(), &parsed), Ok(()), "{ours}");
            let salt = SaltString::encode_b64(b"another salt").unwrap();
            let theirs = argon().hash_password(normal(password).as_bytes(), &salt).unwrap().to_string();
            assert!(verify_in(Some(&theirs), password, &mut memory).is_right, "{theirs}");
            assert!(!verify_in(Some(&theirs), "another", &mut memory).is_right);
            assert!(verify_in(Some(&ours), password, &mut memory).is_right);
        }
        assert!(memory.is_worth_keeping());
        let small = "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG";
        assert!(!verify_in(Some(small), "correct horse", &mut memory).is_right);
        assert!(hash_in("x", &mut memory) != hash_in("x", &mut memory));
    }

    #[test]
    fn a_hash_fits_its_password_alone() {
        let stored = hash("correct horse");
        assert!(stored.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{stored}");
        assert_eq!(verify(Some(&stored), "correct horse"), Verdict { is_right: true, rehashed: None });
        assert!(!verify(Some(&stored), "correct horsf").is_right);
        let accent = hash("\u{e9}tude-1");
        assert!(verify(Some(&accent), "e\u{301}tude-1").is_right, "NFC");
    }

    #[test]
    fn djangos_hash_is_accepted_and_replaced() {
        let stored = "pbkdf2_sha256$1000$NaCl4tableUse$OdOElgwoJzJ6Q0dlEcFeSWVFtz6Srml6+DkB+F2/iGA=";
        let verdict = verify(Some(stored), "ゆきのパスワード");
        assert!(verdict.is_right);
        assert!(verify(verdict.rehashed.as_deref(), "ゆきのパスワード").is_right);
        assert_eq!(verify(Some(stored), "wrong"), Verdict::default());
    }

    #[test]
    fn what_is_no_hash_fits_nothing() {
        let scrypt = "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E";
        let none = ["", "!", "!abcdef", "plain", "pbkdf2_sha256$", "pbkdf2_sha256$x$y$z", "$argon2id$broken", scrypt];
        for stored in none {
            assert!(!verify(Some(stored), "").is_right, "{stored}");
            assert!(!verify(Some(stored), stored).is_right, "{stored}");
        }
        assert!(!verify(None, "").is_right);
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).unwrap());
        let salt = SaltString::encode_b64(&[1; 16]).unwrap();
        let stored = weaker.hash_password(b"pw", &salt).unwrap().to_string();
        assert!(verify(Some(&stored), "pw").rehashed.is_some(), "rehash on login");
    }

    #[test]
    fn a_hash_asks_for_bounded_work() {
        let end = "$AQEBAQEBAQEBAQEBAQEBAQ$mI4mcG2GWcm5hrBCdGuRQsoqv9OJg2oHUo0GJm5gp4I";
        for most in ["m=1048576,t=16,p=16", "m=102400,t=2,p=8"] {
            assert!(matches!(Stored::parse(&format!("$argon2id$v=19${most}{end}")), Stored::Argon(_)), "{most}");
        }
        let over = ["m=1048577,t=1,p=1", "m=4294967295,t=1,p=1", "m=47104,t=17,p=1", "m=47104,t=1,p=17"];
        for more in over.into_iter().chain(["m=47104,t=1,p=1111111111", "m=47104,t=1,p=1,p=1111111111"]) {
            assert_eq!(Stored::parse(&format!("$argon2id$v=19${more}{end}")), Stored::Unusable, "{more}");
        }
        let django = |rounds: &str| format!("pbkdf2_sha256${rounds}$s$OdOElgwoJzJ6Q0dlEcFeSWVFtz6Srml6+DkB+F2/iGA=");
        assert!(matches!(Stored::parse(&django("2000000")), Stored::Django(_)));
        assert_eq!(Stored::parse(&django("2000001")), Stored::Unusable);
    }
}
