//! What a cell that failed leaves behind: the history of each load, and what each server said.

use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::history::History;

tokio::task_local! {
    static OF_THIS_CELL: Arc<Evidence>;
}

/// What was gathered while a cell ran. Histories are shared with those who write them, so they are whole up to the
/// moment in which it failed.
#[derive(Default)]
pub struct Evidence {
    histories: Mutex<Vec<Arc<History>>>,
    logs: Mutex<Vec<String>>,
}

impl Evidence {
    /// Runs a cell that gathers here.
    pub async fn gather<F: Future>(self: Arc<Self>, cell: F) -> F::Output {
        OF_THIS_CELL.scope(self, cell).await
    }

    /// Writes all of it below names that begin with this one, and says where.
    pub fn write(&self, name: &Path) -> Vec<String> {
        let directory = name.parent().expect("a directory");
        let mut written = match std::fs::create_dir_all(directory) {
            Ok(()) => Vec::new(),
            Err(e) => return vec![format!("the history is lost: {}: {e}", directory.display())],
        };
        for (number, history) in self.histories.lock().unwrap().iter().enumerate() {
            let path = numbered(name, number, "jsonl");
            written.push(match history.write(&path) {
                Ok(()) => format!("the history: {}", path.display()),
                Err(e) => format!("the history is lost: {e}"),
            });
        }
        for (number, log) in self.logs.lock().unwrap().iter().enumerate() {
            let path = numbered(name, number, "log");
            written.push(match std::fs::write(&path, log) {
                Ok(()) => format!("a server's log: {}", path.display()),
                Err(e) => format!("a server's log is lost: {e}"),
            });
        }
        written
    }
}

/// The first has no number: most cells have one.
fn numbered(name: &Path, number: usize, extension: &str) -> std::path::PathBuf {
    let extension = if number == 0 { extension.to_owned() } else { format!("{}.{extension}", number + 1) };
    let mut whole = name.as_os_str().to_owned();
    whole.push(format!(".{extension}"));
    whole.into()
}

/// Keeps a history, if a cell is running here.
pub fn history(history: &Arc<History>) {
    let _ = OF_THIS_CELL.try_with(|evidence| evidence.histories.lock().unwrap().push(history.clone()));
}

/// Keeps what a server said, if a cell is running here.
pub fn log(text: String) {
    let _ = OF_THIS_CELL.try_with(|evidence| evidence.logs.lock().unwrap().push(text));
}
