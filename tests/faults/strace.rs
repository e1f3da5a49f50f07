//! strace on running processes: what they ask of the kernel, and answers of the harness's choice.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Traces all threads of some processes until it is dropped. Needs root or the right to trace one's own processes.
pub struct Tracer {
    child: Child,
    out: PathBuf,
}

impl Tracer {
    /// Attaches, and returns when every thread is traced. What it sees goes to `out`, which may be a FIFO that is read.
    pub fn attach(pids: &[u32], out: &Path, args: &[&str]) -> Self {
        tokio::task::block_in_place(|| Self::attach_blocking(pids, out, args))
    }

    fn attach_blocking(pids: &[u32], out: &Path, args: &[&str]) -> Self {
        let mut command = Command::new("strace");
        command.args(["-f", "-y", "-o"]).arg(out).args(args);
        for pid in pids {
            command.args(["-p", &pid.to_string()]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().expect("strace is installed");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let (mut said, mut attached) = (String::new(), 0);
        while attached < pids.len() {
            let line = lines.next().and_then(Result::ok);
            let line = line.unwrap_or_else(|| panic!("strace does not attach (may processes be traced here?): {said}"));
            attached += usize::from(line.contains(" attached"));
            said += &line;
        }
        // Goes on reading: it speaks of every thread that comes or goes.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, out: out.to_owned() }
    }

    /// How many calls were answered by the harness so far.
    pub fn injected(&self) -> u64 {
        let text = std::fs::read_to_string(&self.out).unwrap_or_default();
        text.matches("(INJECTED)").count() as u64
    }

    /// What was seen so far.
    pub fn seen(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// Lets the processes go.
    pub fn end(self) {
        drop(self);
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // It ends with the process that it traces.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let asked = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
