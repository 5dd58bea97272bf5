//! Default < file < environment < flag: gathers the values and everything that is wrong with them.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::keys::{self, ENV_PREFIX, KEYS, Key};
use super::mistake::{Mistake, Origin};
use super::suggest;

/// Names the file in the environment, as `--config` does among the flags.
pub const ENV_CONFIG: &str = "STEADYCAST_CONFIG";

/// What is said outside the file.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that `--config` names.
    pub file: Option<PathBuf>,
    /// Whether `--dev` is given.
    pub dev: bool,
    /// Flags by name, without their dashes. The command line knows no others.
    pub flags: HashMap<String, String>,
    /// The environment; variables that are not the relay's are passed over.
    pub env: Vec<(OsString, OsString)>,
}

/// Values by section and key, each checked by itself.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) values: HashMap<(&'static str, &'static str), Value>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Layers {
    /// The defaults.
    pub(super) fn defaults(dev: bool) -> Self {
        let mut layers = Self {
            values: HashMap::with_capacity(KEYS.len()),
            mistakes: Vec::new(),
        };
        for key in KEYS {
            let default = key.dev_default.filter(|_| dev).unwrap_or(key.default);
            // A test reads every default.
            if let Ok(value) = key.kind.read(default) {
                layers.values.insert((key.section, key.name), value);
            }
        }
        layers
    }

    /// Lays the sources over the defaults, each over the one before it.
    pub(super) fn gather(sources: &Sources) -> Self {
        let mut layers = Self::defaults(sources.dev);
        let named = sources.env.iter().find(|(name, _)| name == ENV_CONFIG);
        let from_env = named.map(|(_, path)| PathBuf::from(path));
        if let Some(path) = sources.file.as_ref().or(from_env.as_ref()) {
            layers.lay_file(path);
        }
        for (name, value) in &sources.env {
            layers.lay_variable(name, value);
        }
        for (key, names) in keys::named() {
            if let Some(text) = sources.flags.get(&names.flag) {
                layers.lay(key, key.kind.read(text), Origin::Flag(names.flag.clone()));
            }
        }
        layers
    }

    /// All values as one document, ready to become a typed tree.
    pub(super) fn into_table(self) -> Table {
        let mut root = Table::new();
        for ((section, name), value) in self.values {
            let table = root
                .entry(section)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(table) = table {
                table.insert(name.to_owned(), value);
            }
        }
        root
    }

    fn lay(&mut self, key: &'static Key, read: Result<Value, String>, origin: Origin) {
        match read {
            Ok(value) => {
                self.values.insert((key.section, key.name), value);
            }
            Err(seen) => self.mistakes.push(Mistake::value(key, origin, seen)),
        }
    }

    fn lay_variable(&mut self, name: &OsStr, value: &OsStr) {
        let name = name.to_string_lossy();
        if !name.starts_with(ENV_PREFIX) || name == ENV_CONFIG {
            return;
        }
        let origin = Origin::Env(name.clone().into_owned());
        let Some((key, _)) = keys::named().find(|(_, names)| names.env == name) else {
            let known = keys::named().map(|(_, names)| names.env.clone());
            self.mistakes.push(Mistake::Unknown {
                suggestion: suggest::nearest(&name, known),
                name: name.into_owned(),
                origin,
            });
            return;
        };
        let read = match value.to_str() {
            Some(text) => key.kind.read(text),
            None => Err("a value that is not UTF-8".to_owned()),
        };
        self.lay(key, read, origin);
    }

    fn lay_file(&mut self, path: &Path) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                self.mistakes.push(Mistake::Unreadable {
                    path: path.to_owned(),
                    why: error.to_string(),
                });
                return;
            }
        };
        match DeTable::parse(&text) {
            Ok(root) => self.lay_document(&File { path, text: &text }, root.into_inner()),
            Err(error) => self.mistakes.push(Mistake::NotToml {
                path: path.to_owned(),
                line: line_of(&text, error.span()),
                why: error.message().to_owned(),
            }),
        }
    }

    fn lay_document(&mut self, file: &File<'_>, root: DeTable<'_>) {
        for (section, value) in root {
            let known = KEYS
                .iter()
                .any(|key| key.section == section.get_ref().as_ref());
            match value.into_inner() {
                DeValue::Table(table) if known => self.lay_section(file, section.get_ref(), table),
                _ => self.mistakes.push(Mistake::unknown_in_file(
                    section.get_ref().to_string(),
                    file.origin(&section),
                )),
            }
        }
    }

    fn lay_section(&mut self, file: &File<'_>, section: &str, table: DeTable<'_>) {
        for (name, value) in table {
            let origin = file.origin(&name);
            match keys::find(section, name.get_ref()) {
                Some(key) => self.lay(key, read_toml(key, value.into_inner()), origin),
                None => self.mistakes.push(Mistake::unknown_in_file(
                    format!("{section}.{}", name.get_ref()),
                    origin,
                )),
            }
        }
    }
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn origin<T>(&self, place: &Spanned<T>) -> Origin {
        Origin::File {
            path: self.path.to_owned(),
            line: line_of(self.text, Some(place.span())),
        }
    }
}

fn line_of(text: &str, span: Option<Range<usize>>) -> usize {
    let start = span.map_or(0, |span| span.start).min(text.len());
    1 + text.as_bytes()[..start]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

/// A value of the file, checked as the key wants it.
fn read_toml(key: &Key, value: DeValue<'_>) -> Result<Value, String> {
    key.kind.check(plain(value))
}

/// The value without its places. What no key takes becomes a text that no key takes either.
fn plain(value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Integer(i64::MIN), Value::Integer),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map_or(Value::Boolean(false), Value::Float),
        DeValue::Boolean(value) => Value::Boolean(value),
        DeValue::Datetime(value) => Value::Datetime(value),
        DeValue::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|item| plain(item.into_inner()))
                .collect(),
        ),
        DeValue::Table(_) => Value::Table(Table::new()),
    }
}
