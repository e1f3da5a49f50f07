//! Second factors: each proof is good once, and what belongs together changes together.

use chatd::domain::{Timestamp, User};
use chatd::store::{
    Allowance, FactorChange, NewPasskey, Proof, Rule, SecondFactors as _, Session, Sessions as _, StoreError, Try,
};
use libtest_mimic::Trial;

use super::{NOW, World, later, session};
use crate::support::backend::{ALL, Database, on_each};

macro_rules! on_sql {
    ($($test:ident),* $(,)?) => {
        pub fn trials() -> Vec<Trial> {
            let mut trials = Vec::new();
            $(trials.extend(on_each(&ALL, concat!("store::", stringify!($test)), |backend| async move {
                let database = Database::new(backend).await;
                let store = database.store().await;
                $test(World { store: store.clone(), home: super::Home::Sql(store, database) }).await;
            }));)*
            trials
        }
    };
}

on_sql![
    a_proof_is_used_once,
    a_session_begins_with_a_proof_or_not_at_all,
    factors_change_with_codes_and_sessions_or_not_at_all,
    a_passkey_is_one_persons,
    a_try_is_given_back_and_the_count_in_a_row_goes_on,
];

const HASH: &str = "the hash";

fn codes(word: &str) -> Vec<String> {
    (0..3).map(|n| format!("{word}{n:0>60}")).collect()
}

fn key(id: &str) -> NewPasskey {
    NewPasskey {
        credential_id: id.as_bytes().to_vec(),
        public_key: vec![0, 255, 7],
        sign_count: 0,
        name: "ein Schlüssel 🔑".to_owned(),
    }
}

fn attempt() -> Try {
    let allowance =
        |name: &str, burst_micros| Allowance { name: format!("{name:x>64}"), cost_micros: 10, burst_micros };
    let a_minute = vec![allowance("1", 1000), allowance("2", 1000)];
    Try { a_minute, in_a_row: allowance("3", 100), network: "n".repeat(64) }
}

impl World {
    async fn guarded(&self, name: &str) -> User {
        let user = self.user(name).await;
        self.store.set_password_hash(user.id, HASH, None).await.unwrap();
        user
    }

    async fn factor(&self, user: &User, change: FactorChange<'_>, word: &str) -> Result<bool, StoreError> {
        let (store, _) = self.sql_home();
        store.change_factors(HASH, change, &codes(word), &session(user, word)).await
    }

    async fn is_live(&self, session: &Session) -> bool {
        self.store.session(&session.token_hash, NOW).await.unwrap().is_some()
    }
}

async fn a_proof_is_used_once(w: World) {
    let (ann, bob) = (w.guarded("ann").await, w.guarded("bob").await);
    let store = w.sql_home().0;
    assert!(!store.has_factor(ann.id).await.unwrap());
    store.spend(ann.id, Proof::Nothing).await.unwrap();
    assert!(w.factor(&ann, FactorChange::AddTotp { secret: b"sealed\0\xff", step: 5 }, "a").await.unwrap());
    assert!(!w.factor(&ann, FactorChange::AddPasskey(&key("one")), "b").await.unwrap(), "the codes stay");
    let factors = store.factors(ann.id).await.unwrap();
    let totp = factors.totp.clone().unwrap();
    assert_eq!((totp.secret.as_slice(), totp.last_step, totp.created_at), (&b"sealed\0\xff"[..], 5, NOW));
    assert_eq!((factors.passkeys.len(), factors.recovery_codes, factors.is_on()), (1, 3, true));
    let passkey = factors.passkeys[0].id;
    let spent = async |user: &User, proof: Proof<'_>| match store.spend(user.id, proof).await {
        Ok(()) => true,
        Err(StoreError::NotFound) => false,
        Err(e) => panic!("{e}"),
    };
    assert!(!spent(&ann, Proof::Nothing).await);
    for (step, good) in [(5, false), (4, false), (6, true), (6, false), (8, true), (7, false)] {
        assert_eq!(spent(&ann, Proof::Totp { step }).await, good, "{step}");
    }
    let code = &codes("a")[0];
    let recovery = Proof::Recovery { code_hash: code };
    assert!(!spent(&bob, recovery).await && !spent(&ann, Proof::Recovery { code_hash: &codes("b")[0] }).await);
    assert!(spent(&ann, recovery).await && !spent(&ann, recovery).await);
    let shown = |sign_count| Proof::Passkey { id: passkey, sign_count, now: later(3) };
    assert!(!spent(&bob, shown(0)).await);
    for (count, good) in [(0, true), (0, true), (2, true), (2, false), (0, false), (1, false), (3, true)] {
        assert_eq!(spent(&ann, shown(count)).await, good, "{count}");
    }
    let stored = store.passkey(b"one").await.unwrap().unwrap();
    assert_eq!((stored.user, stored.sign_count, stored.last_used_at), (ann.id, 3, Some(later(3))));
    assert_eq!((stored.name.as_str(), stored.public_key.as_slice()), ("ein Schlüssel 🔑", &[0, 255, 7][..]));
    // Of many at once one wins.
    let second = codes("a")[1].clone();
    for proof in [Proof::Totp { step: 20 }, Proof::Recovery { code_hash: &second }, shown(9)] {
        let all = futures_util::future::join_all((0..20).map(|_| spent(&ann, proof))).await;
        assert_eq!(all.iter().filter(|won| **won).count(), 1, "{proof:?}");
    }
    assert_eq!(store.users_with_factors().await.unwrap(), [ann.id]);
}

async fn a_session_begins_with_a_proof_or_not_at_all(w: World) {
    let ann = w.guarded("ann").await;
    let store = w.sql_home().0;
    let begin = async |token: &str, hash: Option<&str>, proof: Proof<'_>| {
        let new = session(&ann, token);
        let done = store.sign_in_with(&attempt(), &new, later(100), hash, proof).await;
        assert_eq!(w.is_live(&new).await, done.is_ok());
        done.is_ok()
    };
    w.store.sign_in(&attempt(), &session(&ann, "a0"), later(100)).await.unwrap();
    assert!(begin("a1", None, Proof::Nothing).await);
    w.factor(&ann, FactorChange::AddTotp { secret: b"s", step: 1 }, "c").await.unwrap();
    let refused = w.store.sign_in(&attempt(), &session(&ann, "a2"), later(100)).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "a password alone begins none: {refused:?}");
    assert!(!begin("a3", Some(HASH), Proof::Nothing).await);
    assert!(!begin("a4", Some("another hash"), Proof::Totp { step: 2 }).await);
    assert!(begin("a5", Some(HASH), Proof::Totp { step: 2 }).await, "what was refused has used nothing up");
    assert!(!begin("a6", Some(HASH), Proof::Totp { step: 2 }).await);
    w.store.set_active(ann.id, false).await.unwrap();
    assert!(!begin("a7", Some(HASH), Proof::Totp { step: 3 }).await);
    assert!(!begin("a8", None, Proof::Totp { step: 3 }).await);
}

async fn factors_change_with_codes_and_sessions_or_not_at_all(w: World) {
    let ann = w.guarded("ann").await;
    let store = w.sql_home().0;
    let old = session(&ann, "old");
    w.store.add_session(&old).await.unwrap();
    let state = async || {
        let factors = store.factors(ann.id).await.unwrap();
        (factors.totp.is_some(), factors.passkeys.len(), factors.recovery_codes)
    };
    let not_found = |done: Result<bool, StoreError>| matches!(done, Err(StoreError::NotFound));
    for change in [FactorChange::RemoveTotp, FactorChange::RemovePasskey(1), FactorChange::NewCodes] {
        assert!(not_found(w.factor(&ann, change, "x").await), "{change:?}");
    }
    let add = FactorChange::AddTotp { secret: b"s", step: 1 };
    assert!(not_found(store.change_factors("another hash", add, &codes("x"), &session(&ann, "x")).await));
    assert_eq!((state().await, w.is_live(&old).await), ((false, 0, 0), true), "nothing has changed");
    w.factor(&ann, add, "a").await.unwrap();
    assert_eq!((w.is_live(&old).await, w.is_live(&session(&ann, "a")).await), (false, true));
    let again = w.factor(&ann, add, "x").await;
    assert!(matches!(again, Err(StoreError::Conflict(Rule::Factor))), "{again:?}");
    assert!(w.is_live(&session(&ann, "a")).await);
    w.factor(&ann, FactorChange::AddPasskey(&key("one")), "b").await.unwrap();
    assert!(w.factor(&ann, FactorChange::NewCodes, "c").await.unwrap());
    store.spend(ann.id, Proof::Recovery { code_hash: &codes("a")[0] }).await.unwrap_err();
    store.spend(ann.id, Proof::Recovery { code_hash: &codes("c")[0] }).await.unwrap();
    assert_eq!(state().await, (true, 1, 2));
    assert!(!w.factor(&ann, FactorChange::RemoveTotp, "d").await.unwrap());
    assert_eq!(state().await, (false, 1, 2), "the codes are there while anything is");
    let id = store.factors(ann.id).await.unwrap().passkeys[0].id;
    let bob = w.guarded("bob").await;
    assert!(not_found(w.factor(&bob, FactorChange::RemovePasskey(id), "e").await), "it is Ann's");
    w.factor(&ann, FactorChange::RemovePasskey(id), "f").await.unwrap();
    assert_eq!(state().await, (false, 0, 0), "and go with the last one");
    w.factor(&ann, add, "g").await.unwrap();
    w.factor(&ann, FactorChange::AddPasskey(&key("two")), "h").await.unwrap();
    store.drop_factors(ann.id).await.unwrap();
    assert_eq!((state().await, w.is_live(&session(&ann, "h")).await), ((false, 0, 0), false));
    store.drop_factors(ann.id).await.unwrap();
}

async fn a_passkey_is_one_persons(w: World) {
    let (ann, bob) = (w.guarded("ann").await, w.guarded("bob").await);
    let store = w.sql_home().0;
    w.factor(&ann, FactorChange::AddPasskey(&key("one")), "a").await.unwrap();
    for (user, word) in [(&ann, "b"), (&bob, "c")] {
        let refused = w.factor(user, FactorChange::AddPasskey(&key("one")), word).await;
        assert!(matches!(refused, Err(StoreError::Conflict(Rule::Factor))), "{refused:?}");
    }
    assert!(!store.has_factor(bob.id).await.unwrap());
    let longest = NewPasskey { credential_id: vec![1; 1023], public_key: vec![2; 2048], ..key("") };
    w.factor(&bob, FactorChange::AddPasskey(&longest), "d").await.unwrap();
    assert_eq!(store.passkey(&[1; 1023]).await.unwrap().unwrap().public_key, vec![2; 2048]);
    assert!(store.passkey(&[1; 1022]).await.unwrap().is_none());
}

async fn a_try_is_given_back_and_the_count_in_a_row_goes_on(w: World) {
    let store = w.sql_home().0;
    let attempt = attempt();
    let at = |now: i64| Timestamp(NOW.0 + now);
    let take = async || store.take(&attempt.charges(), at(0)).await.unwrap().is_ok();
    // Nine wrong ones, and right passwords between them: the tenth is the last one all the same.
    for _ in 0..9 {
        assert!(take().await);
        assert!(take().await);
        store.give_back(&attempt).await.unwrap();
    }
    assert!(take().await);
    assert!(!take().await);
    store.was_right(&attempt, at(0), at(100)).await.unwrap();
    assert!(take().await);
}
