//! What a cell that failed leaves behind: the history of each load, and what each server said.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::history::History;

tokio::task_local! {
    static OF_THIS_CELL: Arc<Evidence>;
}

/// What was gathered while a cell ran. Histories and directories are shared with those who write into them, so they are
/// whole up to the moment in which it failed, and outlive what it failed in.
#[derive(Default)]
pub struct Evidence {
    histories: Mutex<Vec<Arc<History>>>,
    /// Of a site, with how many servers it has.
    directories: Mutex<Vec<(Arc<TempDir>, usize)>>,
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
        let directories = self.directories.lock().unwrap();
        let servers = directories.iter().flat_map(|(dir, count)| (0..*count).map(|index| server(dir, index)));
        for (number, server) in servers.enumerate() {
            let path = numbered(name, number, "log");
            written.push(match join(&server, &path) {
                Ok(()) => format!("a server's log: {}", path.display()),
                Err(e) => format!("a server's log is lost: {e}"),
            });
        }
        written
    }
}

/// The first has no number: most cells have one.
fn numbered(name: &Path, number: usize, extension: &str) -> PathBuf {
    let extension = if number == 0 { extension.to_owned() } else { format!("{}.{extension}", number + 1) };
    let mut whole = name.as_os_str().to_owned();
    whole.push(format!(".{extension}"));
    whole.into()
}

/// Keeps a history, if a cell is running here.
pub fn history(history: &Arc<History>) {
    let _ = OF_THIS_CELL.try_with(|evidence| evidence.histories.lock().unwrap().push(history.clone()));
}

/// Keeps what the servers of a site will have said, if a cell is running here.
pub fn directory(dir: &Arc<TempDir>, servers: usize) {
    let _ = OF_THIS_CELL.try_with(|evidence| evidence.directories.lock().unwrap().push((dir.clone(), servers)));
}

/// Where a server of a site runs: its logs and its data are here.
pub fn server(site: &TempDir, index: usize) -> PathBuf {
    site.path().join(format!("server{index}"))
}

/// The logs in a directory, one for each time that its server was started, the oldest first.
pub fn logs(dir: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|file| file.path());
    let mut logs: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "log")).collect();
    logs.sort_by_key(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok());
    logs
}

/// Writes all logs of a server into one file.
fn join(server: &Path, to: &Path) -> std::io::Result<()> {
    let mut whole = std::fs::File::create(to)?;
    for log in logs(server) {
        std::io::copy(&mut std::fs::File::open(log)?, &mut whole)?;
    }
    Ok(())
}
