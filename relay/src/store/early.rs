//! The list of broadcasts as relays up to 0.1 kept it: one JSON file, written anew with every change.

use serde::Deserialize;

use super::engine::Entry;
use super::{StateDir, StateError};

const NAME: &str = "broadcasts.json";
const ASIDE: &str = "broadcasts.json.moved";
/// Version 1 knows nothing of publishers.
const VERSION: u32 = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    broadcasts: Vec<Entry>,
}

/// What is in the list; `None` where there is none.
pub(super) fn list(dir: &StateDir) -> Result<Option<Vec<Entry>>, StateError> {
    match dir.read(NAME)? {
        Some(bytes) => read(&bytes).map(Some).map_err(|why| dir.corrupt(NAME, why)),
        None => Ok(None),
    }
}

/// The list has moved: it is kept under another name, for people.
pub(super) fn put_aside(dir: &StateDir) -> Result<(), StateError> {
    dir.put_aside(NAME, ASIDE)
}

fn read(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| {
        format!("not a list of broadcasts: {error}; mend it, or remove it to start without any")
    })?;
    if !(1..=VERSION).contains(&document.version) {
        return Err(format!(
            "version {}, but this relay reads versions up to {VERSION}",
            document.version
        ));
    }
    Ok(document.broadcasts)
}

#[cfg(test)]
mod tests {
    use super::super::temp::TempDir;
    use super::super::{Access, Seen};
    use super::*;

    #[test]
    fn a_corrupt_list_is_named_and_left_alone() {
        let dir = TempDir::new();
        for text in [
            "",
            "{",
            "[]",
            r#"{"version":0,"broadcasts":[]}"#,
            r#"{"version":3,"broadcasts":[]}"#,
            r#"{"version":1,"broadcasts":[{"id":"NO","title":"","created":0}]}"#,
            r#"{"version":1,"broadcasts":[],"more":1}"#,
        ] {
            dir.write(NAME, text.as_bytes(), Access::Private).unwrap();
            let error = list(&dir).unwrap_err().to_string();
            let path = dir.file(NAME).display().to_string();
            assert!(error.starts_with(&path), "{error}");
            assert_eq!(dir.read(NAME).unwrap().as_deref(), Some(text.as_bytes()));
        }
    }

    #[test]
    fn lists_of_the_first_version_are_read() {
        let dir = TempDir::new();
        let text = r#"{"version":1,"broadcasts":[{"id":"a","title":"A","created":7}]}"#;
        dir.write(NAME, text.as_bytes(), Access::Private).unwrap();
        let entries = list(&dir).unwrap().unwrap();
        assert_eq!(entries[0].publisher, Seen::Never);
    }
}
