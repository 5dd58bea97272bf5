//! What is in the state directory. Nothing of it is written or locked: a relay may be using it.

use std::io;

use super::Finding;
use crate::config::Config;
use crate::store::{LocalStore, StateDir, StateError, TokenKeys};

/// What is kept there, thing by thing; nothing where there is no directory yet.
pub(super) fn kept(config: &Config) -> Vec<Finding> {
    let path = &config.server.state_dir;
    if !path.is_dir() {
        return Vec::new();
    }
    let dir = StateDir::at(path);
    let shown = path.display();
    let mut findings = Vec::new();
    if let Some(mode) = dir.open_to_others() {
        let told =
            format!("{shown} has mode {mode}: other users may read or write the relay's keys");
        let remedy = format!("chmod 0700 {shown}");
        findings.push(Finding::better("state directory", told, remedy));
    }
    let moved = |name: &str, then: &str| {
        let name = dir.file(name);
        let name = name.display();
        format!("restore it from a backup, or mv {name} {name}.bad: {then}")
    };
    let new_links = moved(
        "token.key",
        "a new one is made, and all links until now end",
    );
    findings.extend(judged("key to tokens", TokenKeys::look(&dir), &new_links));
    if config.server.admin_key.is_none() {
        let new_key = moved("admin.key", "a new one is made");
        findings.extend(judged("admin key", dir.look_at_admin_key(), &new_key));
    }
    let empty = moved(
        LocalStore::NAME,
        "broadcasts are gone then, and links that were taken back are good again",
    );
    findings.extend(judged("store", LocalStore::look(&dir), &empty));
    findings
}

/// What is said of a file that is there (`true`), is not, or cannot be used.
fn judged(about: &'static str, found: Result<bool, StateError>, mend: &str) -> Option<Finding> {
    Some(match found {
        Ok(true) => Finding::fine(about, "it can be read"),
        // It is made at the first start.
        Ok(false) => return None,
        Err(error) => {
            let told = error.to_string();
            let remedy = match &error {
                StateError::Io { source, path }
                    if source.kind() == io::ErrorKind::PermissionDenied =>
                {
                    format!(
                        "run this as the relay's user; if it is that, chown it {}",
                        path.display()
                    )
                }
                _ => mend.to_owned(),
            };
            Finding::wrong(about, told, remedy)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::super::Verdict;
    use super::*;
    use crate::broadcast::RelayTime;
    use crate::store::temp::TempDir;

    fn looked_at(dir: &TempDir) -> Vec<(&'static str, Verdict)> {
        let mut config = Config::defaults(false);
        config.server.state_dir = dir.file("");
        let findings = kept(&config).into_iter();
        findings
            .inspect(|one| assert_eq!(one.remedy.is_some(), one.verdict != Verdict::Fine))
            .map(|one| (one.about, one.verdict))
            .collect()
    }

    /// The names and bytes of all files.
    fn all(dir: &TempDir) -> Vec<(std::ffi::OsString, Vec<u8>)> {
        let files = fs::read_dir(dir.file("")).unwrap().map(Result::unwrap);
        let files = files.map(|file| (file.file_name(), fs::read(file.path()).unwrap()));
        let mut files: Vec<_> = files.collect();
        files.sort();
        files
    }

    #[test]
    fn a_state_directory_in_use_is_looked_at_and_left_alone() {
        let dir = TempDir::new();
        assert_eq!(looked_at(&dir), [], "nothing is made");
        assert_eq!(all(&dir), []);
        let _lock = dir.lock().unwrap();
        dir.admin_key(None).unwrap();
        TokenKeys::open(&dir, Duration::ZERO, RelayTime::default()).unwrap();
        let _store = LocalStore::open(&dir).unwrap();
        let before = all(&dir);
        let fine = ["key to tokens", "admin key", "store"].map(|about| (about, Verdict::Fine));
        assert_eq!(looked_at(&dir), fine);
        assert_eq!(all(&dir), before);
    }

    #[test]
    fn junk_is_found_and_left_alone() {
        let dir = TempDir::new();
        for (name, junk) in [
            ("token.key", &b"junk"[..]),
            ("admin.key", b"short"),
            (LocalStore::NAME, &[b'x'; 10_000]),
        ] {
            fs::write(dir.file(name), junk).unwrap();
        }
        let before = all(&dir);
        let wrong = ["key to tokens", "admin key", "store"].map(|about| (about, Verdict::Wrong));
        assert_eq!(looked_at(&dir), wrong);
        assert_eq!(all(&dir), before);
    }

    #[test]
    fn a_store_that_has_lost_bytes_is_found() {
        let dir = TempDir::new();
        drop(LocalStore::open(&dir).unwrap());
        let path = dir.file(LocalStore::NAME);
        let whole = fs::read(&path).unwrap();
        // As after a crash it may be short of its end, and is whole for all that; not so in the middle.
        let mut broken = whole.clone();
        for place in (4_096..broken.len()).step_by(7) {
            broken[place] ^= 0x55;
        }
        fs::write(&path, &broken).unwrap();
        assert_eq!(looked_at(&dir), [("store", Verdict::Wrong)]);
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(looked_at(&dir), [("store", Verdict::Wrong)]);
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_of_others_is_better_closed() {
        use std::os::unix::fs::PermissionsExt;
        let dir = TempDir::new();
        fs::set_permissions(dir.file(""), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(looked_at(&dir), [("state directory", Verdict::Better)]);
    }
}
