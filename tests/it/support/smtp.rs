//! A mail server of a test's own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use super::backend::package;
use super::services::lasting_port;
use super::until;

/// Debian's, which has python3-aiosmtpd; another Python before it on the path has not.
const PYTHON: &str = "/usr/bin/python3";
const AIOSMTPD: &str = "/usr/lib/python3/dist-packages/aiosmtpd/smtp.py";
const OPENSSL: &str = "/usr/bin/openssl";

/// Whether its tests can run here. Panics if they must.
pub fn is_here() -> bool {
    package("aiosmtpd", AIOSMTPD) && package("openssl", OPENSSL)
}

/// The tests, ignored where no mail server is installed.
pub fn where_it_is_here(trials: Vec<Trial>) -> Vec<Trial> {
    let here = is_here();
    trials.into_iter().map(|trial| if here { trial } else { trial.with_ignored_flag(true) }).collect()
}

/// A certificate for `localhost` that nobody vouches for, and its key.
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificate {
    pub fn new(dir: &Path) -> Self {
        let made = Self { certificate: dir.join("certificate.pem"), key: dir.join("key.pem") };
        let done = Command::new(OPENSSL)
            .args(["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(&made.key)
            .arg("-out")
            .arg(&made.certificate)
            .output()
            .expect("openssl is installed");
        assert!(done.status.success(), "openssl: {}", String::from_utf8_lossy(&done.stderr));
        made
    }
}

/// A mail server that keeps what it takes, and answers as it is told; killed when dropped.
pub struct OwnSmtp {
    child: Mutex<Option<Child>>,
    dir: PathBuf,
    args: Vec<String>,
    pub port: u16,
}

impl OwnSmtp {
    /// Starts it with these arguments of its program, keeping things in `dir`.
    pub fn start(dir: &Path, args: &[&str]) -> Self {
        let own = Self::at(dir, args);
        own.launch();
        own
    }

    /// One that is not started yet.
    pub fn at(dir: &Path, args: &[&str]) -> Self {
        std::fs::create_dir_all(dir).expect("a directory");
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { child: Mutex::default(), dir: dir.to_owned(), args, port: lasting_port() }
    }

    /// One that encrypts, by `starttls` or `wrapped`.
    pub fn encrypting(dir: &Path, tls: &str, certificate: &Certificate, args: &[&str]) -> Self {
        let (certificate, key) = (certificate.certificate.display().to_string(), certificate.key.display().to_string());
        let encryption = ["--tls", tls, "--certificate", &certificate, "--key", &key];
        Self::start(dir, &[&encryption[..], args].concat())
    }

    /// Starts it, and waits until it listens.
    pub fn launch(&self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/smtp_server.py");
        let mut child = Command::new(PYTHON)
            .arg(script)
            .args(["--port", &self.port.to_string(), "--dir"])
            .arg(&self.dir)
            .args(&self.args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python is installed");
        let mut line = String::new();
        let out = child.stdout.take().expect("stdout is piped");
        tokio::task::block_in_place(|| BufReader::new(out).read_line(&mut line)).expect("it can be read");
        *self.child.lock().unwrap() = Some(child);
        assert_eq!(line.trim(), self.port.to_string(), "the mail server listens");
    }

    /// SIGKILL, and its end.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// How it answers from now on: `RCPT 451 later`, `DATA hang`; as usual after `""`.
    pub fn answer(&self, answers: &str) {
        // It may read at any time.
        let part = self.dir.join("answers.part");
        std::fs::write(&part, answers).expect("a file");
        std::fs::rename(part, self.dir.join("answers")).expect("a file");
    }

    /// What was said to it, a line for each command that matters.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.dir.join("said")).unwrap_or_default()
    }

    /// Waits until this was said to it.
    pub async fn hears(&self, words: &str) {
        until(words, Duration::from_secs(20), || async { self.said().contains(words).then_some(()) }).await;
    }

    /// What it has taken.
    pub fn mails(&self) -> Vec<Value> {
        let path = |number: usize| self.dir.join(format!("mail-{number}.json"));
        let texts = (0..).map_while(|number| std::fs::read_to_string(path(number)).ok());
        texts.map(|text| serde_json::from_str(&text).expect("JSON")).collect()
    }

    /// Waits until it has taken so many, and gives them.
    pub async fn taken(&self, number: usize) -> Vec<Value> {
        until("mail to arrive", Duration::from_secs(20), || async {
            let mails = self.mails();
            (mails.len() >= number).then_some(mails)
        })
        .await
    }
}

impl Drop for OwnSmtp {
    fn drop(&mut self) {
        self.kill();
    }
}
