//! What is read from the sources, and from the document that promises all this.

use std::path::Path;

use libtest_mimic::Trial;

use super::once;
use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    once![
        s28_sql_is_never_put_together,
        s38_no_unsafe_code,
        s38_dependencies_have_rules,
        s26_rocket_is_built_without_http2
    ]
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The sources below a directory, without their comments.
fn sources(dir: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("it can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let code: Vec<_> =
                read(&path).lines().filter(|l| !l.trim_start().starts_with("//")).map(str::to_owned).collect();
            found.push((path.strip_prefix(root()).expect("below the root").display().to_string(), code.join("\n")));
        }
    }
    found
}

/// The words with which a piece of SQL is recognised.
const WORDS: [&str; 9] =
    ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", " WHERE ", " FROM ", " VALUES", "ORDER BY", " SET "];

/// What could put text from outside into a statement; the line in which it stands.
fn suspicious(code: &str) -> Vec<String> {
    let calls = ["format!", "write!", "push_str", "concat(", ".replace("];
    let mut lines = Vec::new();
    for line in code.lines() {
        let builds = calls.iter().any(|call| line.contains(call)) && WORDS.iter().any(|word| line.contains(word));
        let escapes = ["AssertSqlSafe", "raw_sql", "query(&", "QueryBuilder"].iter().any(|word| line.contains(word));
        if builds || escapes {
            lines.push(line.trim().to_owned());
        }
    }
    lines
}

async fn s28_sql_is_never_put_together() {
    assert_eq!(
        suspicious("let sql = format!(\"SELECT {name} FROM users\");").len(),
        1,
        "the lint finds what it looks for"
    );
    assert_eq!(suspicious("sqlx::query(&sql)").len() + suspicious("query(AssertSqlSafe(sql))").len(), 2);
    let all = sources(&root().join("src"));
    let store: Vec<_> = all.iter().filter(|(path, _)| path.starts_with("src/store/")).collect();
    assert!(store.len() >= 10 && all.len() > 40, "the sources were not found");
    let mut found: Vec<_> = all
        .iter()
        .flat_map(|(path, code)| suspicious(code).into_iter().map(move |line| (path.as_str(), line)))
        .collect();
    // The one place where words of SQL are replaced: constants of the program, in the words of each database.
    found.retain(|(path, _)| *path != "src/store/dialect.rs");
    assert!(found.is_empty(), "{found:#?}");
    let of = |word: &str| -> Vec<&str> {
        all.iter().filter(|(_, code)| code.contains(word)).map(|(path, _)| path.as_str()).collect()
    };
    // `sqlx::query` takes only constants (`&'static str`); the dialect is where a made text becomes one.
    assert_eq!(of("sqlx::query"), ["src/store/row.rs"]);
    assert_eq!(of(".leak()"), ["src/store/dialect.rs"]);
    let dialect = &store.iter().find(|(path, _)| path.ends_with("dialect.rs")).expect("it is there").1;
    assert_eq!(dialect.matches(".leak()").count(), 1);
    assert!(dialect.contains("fn one(&self, sql: &'static str)") && dialect.contains("pub head: &'static str"));
}

async fn s38_no_unsafe_code() {
    assert!(read(&root().join("src/lib.rs")).contains("#![forbid(unsafe_code)]"));
    let main = read(&root().join("src/main.rs"));
    assert!(main.contains("#![forbid(unsafe_code)]") || main.lines().count() < 20, "the binary is a line");
    for (path, code) in sources(&root().join("src")) {
        let code = code.replace("unsafe_code", "");
        assert!(!code.contains("unsafe {") && !code.contains("unsafe fn") && !code.contains("unsafe impl"), "{path}");
    }
}

/// `cargo deny check` reads these rules; here they are shown to say what the document promises.
async fn s38_dependencies_have_rules() {
    let rules = read(&root().join("deny.toml"));
    for rule in [
        "[advisories]",
        "[licenses]",
        "[bans]",
        "[sources]",
        "unknown-registry = \"deny\"",
        "unknown-git = \"deny\"",
        "yanked = \"deny\"",
    ] {
        assert!(rules.contains(rule), "{rule}");
    }
    let lock = read(&root().join("Cargo.lock"));
    let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let elsewhere: Vec<_> = lock.lines().filter(|l| l.starts_with("source = ") && *l != registry).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    let packages = lock.split("[[package]]").skip(1).filter(|package| package.contains(registry));
    let (all, summed) =
        packages.fold((0, 0), |(all, summed), p| (all + 1, summed + usize::from(p.contains("checksum = "))));
    assert!(all > 100 && all == summed, "{summed} of {all} have a checksum");
}

async fn s26_rocket_is_built_without_http2() {
    let manifest = read(&root().join("Cargo.toml"));
    let rocket = manifest.lines().find(|line| line.starts_with("rocket = ")).expect("the dependency");
    assert!(rocket.contains("default-features = false") && !rocket.contains("http2"), "{rocket}");
}

/// Every test here is named in the document, and everything that the document names is here.
pub fn documented(names: Vec<String>) -> Trial {
    trial("security::the_document_names_every_test", move || async move {
        let document = read(&root().join("docs/security.md"));
        let known: Vec<_> = names.iter().filter_map(|name| name.split("::").nth(1)).collect();
        for name in &known {
            assert!(document.contains(&format!("`{name}`")), "docs/security.md does not name {name}");
        }
        let is_test = |name: &&str| {
            name.len() > 4
                && name.starts_with('s')
                && name[1..3].bytes().all(|b| b.is_ascii_digit())
                && &name[3..4] == "_"
        };
        for name in document.split('`').skip(1).step_by(2).filter(is_test) {
            assert!(known.contains(&name), "docs/security.md names {name}, which is no test");
        }
    })
}
