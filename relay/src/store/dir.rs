use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::auth::{AdminKey, RandomError, random, random_text};
use crate::directory::RelayId;

const ADMIN_KEY: &str = "admin.key";
const RELAY_ID: &str = "relay.id";

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {why}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Another relay has it.
    #[error("{}: another relay uses this state directory; each needs its own (server.state_dir)", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// No key can be made.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The store cannot be read or written.
    #[error("{}: {source}", path.display())]
    Database {
        /// Its file.
        path: PathBuf,
        /// What it says.
        source: Box<redb::Error>,
    },
}

/// Who may read a file of the state directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The relay's user alone.
    Private,
    /// Everybody.
    Public,
}

/// The directory of what outlives the process.
#[derive(Debug, Clone)]
pub struct StateDir {
    path: Arc<Path>,
}

impl StateDir {
    /// Opens the directory; makes it, for this user alone, when it is missing.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(at(path))?;
        Ok(Self { path: path.into() })
    }

    /// The directory as it is, or is not: nothing is made.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.into() }
    }

    /// Keeps other relays out until the lock is dropped, or the process has ended, however it ends: two relays
    /// would lose each other's broadcasts.
    ///
    /// # Errors
    /// [`StateError::InUse`], or [`StateError::Io`].
    pub fn lock(&self) -> Result<StateLock, StateError> {
        let directory = File::open(&self.path).map_err(at(&self.path))?;
        match directory.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StateError::InUse {
                    path: self.path.to_path_buf(),
                });
            }
            // Some network file systems lock no directories. That is no reason to serve nobody.
            Err(TryLockError::Error(error)) => {
                let directory = self.path.display();
                tracing::warn!(%directory, %error, "the state directory cannot be locked");
            }
        }
        Ok(StateLock {
            _directory: directory,
        })
    }

    /// Says with which mode, if other users may read or write the directory.
    #[cfg(unix)]
    pub fn open_to_others(&self) -> Option<String> {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&self.path).ok()?.permissions().mode() & 0o7777;
        (mode & 0o077 != 0).then(|| format!("{mode:04o}"))
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file's bytes, if it is there.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        let path = self.file(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// Replaces a file as a whole: after a crash it holds the old bytes or the new ones.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn write(&self, name: &str, bytes: &[u8], access: Access) -> Result<(), StateError> {
        let path = self.file(name);
        let temporary = self.file(&format!(".{name}.new"));
        let replace = || {
            let mut file = create(&temporary, access)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            #[cfg(unix)]
            let directory = File::open(&self.path)?;
            fs::rename(&temporary, &path)?;
            // From here on who reads it finds the new bytes: that is no failure any more. Only a
            // loss of power could still bring the old ones back.
            #[cfg(unix)]
            if let Err(error) = directory.sync_all() {
                tracing::warn!(file = %path.display(), %error, "written, but perhaps not for good");
            }
            Ok(())
        };
        let replaced = replace();
        if replaced.is_err() {
            // On a full disk a half would be in its own way.
            let _ = fs::remove_file(&temporary);
        }
        replaced.map_err(at(&path))
    }

    /// The admin key: the configured one, else the one in `admin.key`, made now if need be.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn admin_key(&self, configured: Option<&AdminKey>) -> Result<AdminKey, StateError> {
        if let Some(key) = configured {
            return Ok(key.clone());
        }
        self.read_admin_key(&self.secret(ADMIN_KEY)?)
    }

    /// Whether there is an admin key that can be read. Makes none.
    ///
    /// # Errors
    /// [`StateError`].
    pub(crate) fn look_at_admin_key(&self) -> Result<bool, StateError> {
        let text = self.text(ADMIN_KEY)?;
        let key = text.map(|text| self.read_admin_key(&text)).transpose()?;
        Ok(key.is_some())
    }

    fn read_admin_key(&self, text: &str) -> Result<AdminKey, StateError> {
        let why = |error| self.corrupt(ADMIN_KEY, format!("{error}; remove it for a new one"));
        text.parse().map_err(why)
    }

    /// Makes a new admin key; gives it as text as well.
    ///
    /// # Errors
    /// [`StateError`]; the key is as it was then.
    pub fn renew_admin_key(&self) -> Result<(AdminKey, String), StateError> {
        let text = random_text()?;
        let key = text.parse();
        let key = key.map_err(|error| self.corrupt(ADMIN_KEY, format!("{error}")))?;
        self.write(ADMIN_KEY, format!("{text}\n").as_bytes(), Access::Private)?;
        Ok((key, text))
    }

    /// The admin key's text, where it is in `admin.key`; made now if need be.
    ///
    /// # Errors
    /// [`StateError`].
    pub(crate) fn admin_text(&self) -> Result<String, StateError> {
        self.secret(ADMIN_KEY)
    }

    /// This is the admin key from now on.
    ///
    /// # Errors
    /// [`StateError`]; the key is as it was then.
    pub(crate) fn keep_admin_key(&self, text: &str) -> Result<AdminKey, StateError> {
        let key = self.read_admin_key(text)?;
        if self.text(ADMIN_KEY)?.as_deref() != Some(text) {
            self.write(ADMIN_KEY, format!("{text}\n").as_bytes(), Access::Private)?;
        }
        Ok(key)
    }

    /// The relay's name among others: the configured one, else the one in `relay.id`, made now if need be.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn relay_id(&self, configured: Option<&RelayId>) -> Result<RelayId, StateError> {
        if let Some(id) = configured {
            return Ok(id.clone());
        }
        let text = match self.read(RELAY_ID)? {
            Some(bytes) => String::from_utf8_lossy(&bytes).trim().to_owned(),
            None => {
                let made = RelayId::from_random(random()?).to_string();
                self.write(RELAY_ID, format!("{made}\n").as_bytes(), Access::Private)?;
                made
            }
        };
        let why = |error| self.corrupt(RELAY_ID, format!("{error}; remove it for a new one"));
        text.parse().map_err(why)
    }

    /// Makes an empty file, for the relay's user alone, where there is none.
    pub(super) fn ensure(&self, name: &str) -> Result<(), StateError> {
        let path = self.file(name);
        match path.exists() {
            true => Ok(()),
            false => create(&path, Access::Private).map(drop).map_err(at(&path)),
        }
    }

    /// Another name for a file that is needed no more.
    pub(super) fn put_aside(&self, name: &str, aside: &str) -> Result<(), StateError> {
        let path = self.file(name);
        fs::rename(&path, self.file(aside)).map_err(at(&path))
    }

    pub(super) fn corrupt(&self, name: &str, why: String) -> StateError {
        StateError::Corrupt {
            path: self.file(name),
            why,
        }
    }

    fn secret(&self, name: &str) -> Result<String, StateError> {
        if let Some(text) = self.text(name)? {
            return Ok(text);
        }
        let text = random_text()?;
        self.write(name, format!("{text}\n").as_bytes(), Access::Private)?;
        tracing::info!(file = %self.file(name).display(), "made a new key");
        Ok(text)
    }

    /// What a file with keys says, if it is there.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, StateError> {
        let Some(bytes) = self.read(name)? else {
            return Ok(None);
        };
        self.warn_if_open(name);
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(_) => Err(self.corrupt(name, "not a text; remove it for a new one".to_owned())),
        }
    }

    /// A key that others can read is a mistake worth a line, but theirs to make.
    fn warn_if_open(&self, name: &str) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let path = self.file(name);
            let open = fs::metadata(&path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0);
            if open {
                tracing::warn!(file = %path.display(), "other users can read this key");
            }
        }
    }
}

/// A state directory's lock.
#[derive(Debug)]
pub struct StateLock {
    _directory: File,
}

fn create(path: &Path, access: Access) -> io::Result<File> {
    // A leftover of a crash would keep its mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        let mode = match access {
            Access::Private => 0o600,
            Access::Public => 0o644,
        };
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    }
    options.open(path)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    |source| StateError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::super::TokenKeys;
    use super::super::temp::TempDir;
    use super::*;
    use crate::broadcast::RelayTime;

    #[test]
    fn keys_are_made_once_and_kept() {
        let dir = TempDir::new();
        dir.admin_key(None).unwrap();
        let text = fs::read_to_string(dir.file("admin.key")).unwrap();
        assert!(dir.admin_key(None).unwrap().matches(text.trim()));
        let (key, text) = dir.renew_admin_key().unwrap();
        assert!(key.matches(&text) && dir.admin_key(None).unwrap().matches(&text));
    }

    #[test]
    fn a_relay_keeps_the_name_that_it_made() {
        let dir = TempDir::new();
        let made = dir.relay_id(None).unwrap();
        assert_eq!(dir.relay_id(None).unwrap(), made);
        let configured: RelayId = "edge-1".parse().unwrap();
        assert_eq!(dir.relay_id(Some(&configured)).unwrap(), configured);
        assert_eq!(dir.relay_id(None).unwrap(), made);
        dir.write(RELAY_ID, b"Not A Name", Access::Private).unwrap();
        let error = dir.relay_id(None).unwrap_err().to_string();
        assert!(error.contains(RELAY_ID), "{error}");
    }

    #[test]
    fn a_configured_admin_key_leaves_no_file() {
        let dir = TempDir::new();
        let configured: AdminKey = "configured-by-the-operator".parse().unwrap();
        let key = dir.admin_key(Some(&configured)).unwrap();
        assert!(key.matches("configured-by-the-operator"));
        assert!(dir.read("admin.key").unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn keys_are_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = TempDir::new();
        dir.admin_key(None).unwrap();
        TokenKeys::open(&dir, std::time::Duration::ZERO, RelayTime::default()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.file("admin.key")), 0o600);
        assert_eq!(mode(&dir.file("token.key")), 0o600);
        assert_eq!(mode(&dir.path), 0o700);
    }

    #[test]
    fn one_relay_has_the_directory_and_gives_it_back() {
        let dir = TempDir::new();
        let lock = dir.lock().unwrap();
        let text = dir.lock().unwrap_err().to_string();
        assert!(text.contains("another relay uses"), "{text}");
        assert!(text.starts_with(&dir.path.display().to_string()), "{text}");
        drop(lock);
        dir.lock().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_of_others_is_told_with_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let dir = TempDir::new();
        assert_eq!(dir.open_to_others(), None);
        for (mode, told) in [(0o777, "0777"), (0o750, "0750"), (0o1733, "1733")] {
            fs::set_permissions(&dir.path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(dir.open_to_others().as_deref(), Some(told));
        }
    }

    #[test]
    fn broken_keys_are_named_not_replaced() {
        let dir = TempDir::new();
        for bytes in [&b"short"[..], b"\xff\xfe"] {
            dir.write("admin.key", bytes, Access::Private).unwrap();
            let text = dir.admin_key(None).unwrap_err().to_string();
            assert!(text.contains("admin.key"), "{text}");
            assert_eq!(fs::read(dir.file("admin.key")).unwrap(), bytes);
        }
    }

    #[test]
    fn a_leftover_of_a_crash_is_in_nobodys_way() {
        let dir = TempDir::new();
        fs::write(dir.file(".list.new"), "half").unwrap();
        dir.write("list", b"whole", Access::Public).unwrap();
        assert_eq!(dir.read("list").unwrap().as_deref(), Some(&b"whole"[..]));
        assert!(!dir.file(".list.new").exists());
    }
}
