//! What can be wrong with a configuration, told so that it can be put right.

use std::fmt;
use std::path::PathBuf;

use super::keys::{KEYS, Key};
use super::suggest;

/// Everything that is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[error("{}", in_lines(.0))]
pub struct ConfigError(pub Vec<Mistake>);

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of the file.
    File {
        /// The file.
        path: PathBuf,
        /// Counted from one.
        line: usize,
    },
    /// An environment variable.
    Env(String),
    /// A flag, without its dashes.
    Flag(String),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// The file cannot be read.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The file is not TOML.
    #[error("{}, line {line}: not TOML: {why}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Counted from one.
        line: usize,
        /// What the parser says.
        why: String,
    },
    /// There is no such key.
    #[error("{name} ({origin}): there is no such key{}", suggest::sentence(.suggestion.as_deref()))]
    Unknown {
        /// The name as it was written.
        name: String,
        /// Where it was written.
        origin: Origin,
        /// The nearest name that exists, spelt for that place.
        suggestion: Option<String>,
    },
    /// The key does not take the value.
    #[error("{section}.{name} ({origin}): {seen} is not allowed; it takes {takes}")]
    Value {
        /// The key's section.
        section: &'static str,
        /// The key's name.
        name: &'static str,
        /// Where the value came from.
        origin: Origin,
        /// What was found.
        seen: String,
        /// What would be allowed.
        takes: String,
    },
    /// Keys that are allowed one by one do not go together.
    #[error("{keys}: {why}")]
    Together {
        /// The keys.
        keys: &'static str,
        /// What does not go together, and what would.
        why: &'static str,
    },
}

impl Mistake {
    pub(super) fn value(key: &Key, origin: Origin, seen: String) -> Self {
        Self::Value {
            section: key.section,
            name: key.name,
            origin,
            seen,
            takes: key.kind.to_string(),
        }
    }

    /// A name in the file that no key has.
    pub(super) fn unknown_in_file(name: String, origin: Origin) -> Self {
        let known = KEYS
            .iter()
            .map(|key| format!("{}.{}", key.section, key.name));
        let suggestion = suggest::nearest(&name, known);
        Self::Unknown {
            name,
            origin,
            suggestion,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

fn in_lines(mistakes: &[Mistake]) -> String {
    let lines: Vec<_> = mistakes.iter().map(Mistake::to_string).collect();
    lines.join("\n")
}
