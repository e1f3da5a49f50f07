//! Where generated input enters: every parser of text from outside, each with what must hold besides "no panic". The
//! functions stand beside what they look at, in the `fuzzing` module of its room; here is the list.
//!
//! To add one: a function here or there, a row in [`TARGETS`], a file in `fuzz/fuzz_targets/`, seeds in
//! `fuzz/corpus/NAME/`. A test compares the four.

/// A parser under test.
pub struct Target {
    pub name: &'static str,
    /// Panics if something does not hold for this input.
    pub run: fn(&[u8]),
}

/// Every parser of text from outside, the slowest first.
pub const TARGETS: &[Target] = &[
    Target { name: "settings", run: crate::config::fuzzing::settings },
    Target { name: "cursor", run: crate::domain::fuzzing::cursor },
    Target { name: "username", run: crate::domain::fuzzing::username },
    Target { name: "profile", run: crate::domain::fuzzing::profile },
    Target { name: "text", run: crate::domain::fuzzing::text },
    Target { name: "mailbox", run: crate::mail::fuzzing::mailbox },
    Target { name: "password_hash", run: crate::auth::fuzzing::password_hash },
    Target { name: "passkey", run: crate::auth::fuzzing::passkey },
    Target { name: "bus_word", run: crate::bus::fuzzing::bus_word },
    Target { name: "json_body", run: crate::http::fuzzing::json_body },
    Target { name: "form_body", run: crate::http::fuzzing::form_body },
    Target { name: "multipart_body", run: crate::http::fuzzing::multipart_body },
    Target { name: "idempotency_key", run: crate::http::fuzzing::idempotency_key },
    Target { name: "query", run: crate::http::fuzzing::query },
    Target { name: "address", run: crate::http::fuzzing::address },
    Target { name: "cookies", run: crate::http::fuzzing::cookies },
    Target { name: "basic", run: crate::http::fuzzing::basic },
    Target { name: "hosts", run: crate::http::fuzzing::hosts },
    Target { name: "forwarded", run: crate::http::fuzzing::forwarded },
    Target { name: "frame", run: crate::http::fuzzing::frame },
];

/// Runs one of them.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("the name of a target");
    (target.run)(data);
}
