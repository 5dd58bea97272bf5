//! The commented default file.

use super::keys::{Change, KEYS, Key, SECTIONS};

const HEADER: &str = "\
Steadycast's settings. `steadycast config` prints this file; every line that sets
something shows the default, so an empty file means the same.

Every key is also an environment variable, STEADYCAST_SECTION_KEY, and a flag,
--section-key VALUE. A flag beats the environment, which beats this file:

    steadycast serve --config steadycast.toml
    STEADYCAST_LIMITS_SESSIONS=500 steadycast serve
    steadycast serve --limits-sessions 500

A change takes effect at the next start; where a key says SIGHUP, that signal has a running
relay take it over, `systemctl reload steadycast` for one.
";

const WIDTH: usize = 96;

/// The default file: every key with what it does, what it takes and its default.
pub fn template() -> String {
    let mut out = comment(HEADER);
    for (section, about) in SECTIONS {
        out.push_str(&format!("\n{}[{section}]\n", comment(about)));
        for key in KEYS.iter().filter(|key| key.section == *section) {
            out.push('\n');
            out.push_str(&describe(key));
        }
    }
    out
}

fn describe(key: &Key) -> String {
    let mut takes = format!("Takes {}.", key.kind);
    if let Some(default) = key.dev_default {
        takes.push_str(&format!(" With --dev: {}.", key.kind.to_toml(default)));
    }
    takes.push_str(match key.change {
        Change::Start => "",
        Change::Now => " SIGHUP: at once.",
        Change::NewBroadcasts => " SIGHUP: for broadcasts that are made from then on.",
    });
    let default = key.kind.to_toml(key.default);
    format!(
        "{}{}#{} = {default}\n",
        comment(key.doc),
        comment(&takes),
        key.name
    )
}

/// The text as comment lines of at most [`WIDTH`] columns; lines with a margin stay as they are.
fn comment(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if line.len() < WIDTH || line.starts_with(' ') {
            out.push_str(format!("# {line}").trim_end());
            out.push('\n');
        } else {
            out.push_str(&wrapped(line));
        }
    }
    out
}

fn wrapped(line: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in line.split(' ') {
        if column == 0 || column + 1 + word.len() > WIDTH {
            if column > 0 {
                out.push('\n');
            }
            out.push_str("# ");
            column = 2;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_file_is_this_one() {
        let committed = include_str!("../../../steadycast.toml");
        assert!(
            committed == template(),
            "write it again: cargo run -p steadycast-relay -- config > steadycast.toml"
        );
    }

    #[test]
    fn it_says_what_a_running_relay_takes_over() {
        let text = template();
        let said = |key: &str| {
            let end = text.find(&format!("\n#{key} = ")).unwrap();
            let start = text[..end].rfind("\n\n").unwrap();
            let comment = text[start..end].replace("\n# ", " ");
            comment
                .split_once("SIGHUP")
                .map(|(_, when)| when.to_owned())
        };
        let later = ": for broadcasts that are made from then on.";
        assert_eq!(said("level").as_deref(), Some(": at once."));
        assert_eq!(said("held_timeout_s").as_deref(), Some(later));
        assert_eq!(said("shards"), None);
    }

    #[test]
    fn nothing_is_wider_than_a_screen() {
        for line in template().lines() {
            assert!(line.len() <= WIDTH, "{line}");
        }
    }
}
