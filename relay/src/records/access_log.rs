//! The access log: a line of JSON for each session that has ended, in a file of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Lines that may wait for the disk. Of more, the newest are lost, which is said.
const WAITING: usize = 16_384;

/// Where the access log is, and how much of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLogSettings {
    /// The file; older ones are beside it, `.1` the newest of them.
    pub path: PathBuf,
    /// How large it may become, in bytes, before the next one begins.
    pub size: u64,
    /// Older ones that are kept.
    pub older: usize,
}

/// Writes lines to a file in a thread of its own, so that nobody waits for the disk.
pub struct AccessLog {
    lines: Option<SyncSender<String>>,
    lost: Arc<AtomicU64>,
    writer: Option<JoinHandle<()>>,
}

impl AccessLog {
    /// Opens the file; makes it, for the relay's user and group, where it is missing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(settings: AccessLogSettings) -> io::Result<Self> {
        let mut file = Rotated::open(settings)?;
        let (sender, lines): (_, Receiver<String>) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let missed = lost.clone();
        let writer = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || {
                let mut fails = false;
                for line in lines {
                    let written = file.write(&line);
                    match written {
                        Ok(()) => fails = false,
                        Err(error) => {
                            missed.fetch_add(1, Ordering::Relaxed);
                            if !std::mem::replace(&mut fails, true) {
                                let path = file.settings.path.display();
                                tracing::error!(%path, %error, "the access log cannot be written");
                            }
                        }
                    }
                    let missed = missed.swap(0, Ordering::Relaxed);
                    if missed > 0 && !fails {
                        tracing::error!(lines = missed, "the access log lacks some sessions");
                    }
                }
            })?;
        Ok(Self {
            lines: Some(sender),
            lost,
            writer: Some(writer),
        })
    }

    /// Takes a line, without its end.
    pub fn write(&self, line: String) {
        let Some(lines) = &self.lines else { return };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = lines.try_send(line) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for AccessLog {
    /// Waits until everything is written.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// A file that makes way for a new one when it is large.
struct Rotated {
    settings: AccessLogSettings,
    file: File,
    size: u64,
}

impl Rotated {
    fn open(settings: AccessLogSettings) -> io::Result<Self> {
        let file = open(&settings.path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            settings,
            file,
            size,
        })
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let length = line.len() as u64 + 1;
        if self.size > 0 && self.size + length > self.settings.size {
            self.rotate()?;
        }
        // Whoever rotates such files by other means has taken it away.
        if !self.settings.path.exists() {
            self.file = open(&self.settings.path)?;
            self.size = 0;
        }
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        self.file.write_all(&bytes)?;
        self.size += length;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let AccessLogSettings { path, older, .. } = &self.settings;
        for number in (1..*older).rev() {
            let (from, to) = (numbered(path, number), numbered(path, number + 1));
            if from.exists() {
                fs::rename(from, to)?;
            }
        }
        match older {
            0 => fs::remove_file(path)?,
            _ => fs::rename(path, numbered(path, 1))?,
        }
        self.file = open(path)?;
        self.size = 0;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path)
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::temp::TempDir;

    fn log(dir: &TempDir, size: u64, older: usize) -> AccessLog {
        AccessLog::open(AccessLogSettings {
            path: dir.file("access.log"),
            size,
            older,
        })
        .unwrap()
    }

    fn read(dir: &TempDir, name: &str) -> String {
        fs::read_to_string(dir.file(name)).unwrap_or_default()
    }

    #[test]
    fn lines_are_on_disk_when_the_log_is_closed_and_go_on_in_the_same_file() {
        let dir = TempDir::new();
        for line in ["one", "two"] {
            log(&dir, 1_000, 1).write(line.to_owned());
        }
        assert_eq!(read(&dir, "access.log"), "one\ntwo\n");
    }

    #[test]
    fn a_large_file_makes_way_and_the_oldest_goes() {
        let dir = TempDir::new();
        let log = log(&dir, 8, 2);
        for line in ["aaa", "bbb", "ccc", "ddd", "eee", "fff", "ggg"] {
            log.write(line.to_owned());
        }
        drop(log);
        assert_eq!(read(&dir, "access.log"), "ggg\n");
        assert_eq!(read(&dir, "access.log.1"), "eee\nfff\n");
        assert_eq!(read(&dir, "access.log.2"), "ccc\nddd\n");
        assert!(!dir.file("access.log.3").exists());
    }

    #[test]
    fn a_file_that_somebody_took_away_is_made_again() {
        let dir = TempDir::new();
        let log = log(&dir, 1_000, 1);
        log.write("one".to_owned());
        drop(log);
        let log = self::log(&dir, 1_000, 1);
        fs::rename(dir.file("access.log"), dir.file("taken")).unwrap();
        log.write("two".to_owned());
        drop(log);
        assert_eq!(
            (read(&dir, "taken"), read(&dir, "access.log")),
            ("one\n".into(), "two\n".into())
        );
    }
}
