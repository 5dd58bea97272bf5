use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::*;

/// A file under the system's temporary directory that goes with the value.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, text: &str) -> Self {
        let unique = format!("steadycast-config-{}-{name}.toml", std::process::id());
        let path = std::env::temp_dir().join(unique);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn dev() -> Sources {
    Sources {
        dev: true,
        ..Sources::default()
    }
}

fn env(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    let pair = |(name, value): &(&str, &str)| (name.into(), value.into());
    pairs.iter().map(pair).collect()
}

fn flags(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(pair).collect()
}

fn mistakes(sources: &Sources) -> Vec<String> {
    match Config::load(sources) {
        Ok(_) => Vec::new(),
        Err(ConfigError(mistakes)) => mistakes.iter().map(Mistake::to_string).collect(),
    }
}

fn mistakes_in(name: &str, text: &str) -> Vec<String> {
    let file = TempFile::new(name, text);
    let shown = format!("{}, ", file.0.display());
    let sources = Sources {
        file: Some(file.0.clone()),
        ..dev()
    };
    let without_path = |mistake: String| mistake.replace(&shown, "");
    mistakes(&sources).into_iter().map(without_path).collect()
}

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let config = Config::default();
    assert_eq!(config.server.listen.port(), 4433);
    assert_eq!(config.broadcast.held_timeout, Duration::from_secs(1800));
    assert_eq!(config.broadcast.keyframe_wait, Duration::from_millis(500));
    assert_eq!(
        config.broadcast.play_token_ttl,
        Duration::from_secs(604_800)
    );
    assert_eq!(config.limits.cache_bytes, 256 << 20);
    assert_eq!(config.log.format, LogFormat::Text);
    assert_eq!(config.server.state_dir, PathBuf::from("state"));
    assert!(config.server.admin_key.is_none() && config.server.public_url.is_none());
    let dev = Config::defaults(true);
    assert_eq!((dev.dev, dev.server.state_dir), (true, "certs".into()));
}

#[test]
fn the_broadcast_defaults_are_those_of_the_rules() {
    let (ours, theirs) = (Settings::from(&Config::default()), Settings::default());
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let file = TempFile::new(
        "order",
        "[limits]\nsessions = 1\nhandshakes = 300\nretry_above = 7",
    );
    let sources = Sources {
        file: Some(file.0.clone()),
        env: env(&[
            ("STEADYCAST_LIMITS_SESSIONS", "2"),
            ("STEADYCAST_LIMITS_HANDSHAKES", "400"),
            ("HOME", "/"),
        ]),
        flags: flags(&[("limits-sessions", "3")]),
        dev: true,
    };
    let limits = Config::load(&sources).unwrap().limits;
    assert_eq!(
        (limits.sessions, limits.handshakes, limits.retry_above),
        (3, 400, 7)
    );
}

#[test]
fn the_environment_can_name_the_file() {
    let file = TempFile::new("named", "[log]\nformat = \"json\"");
    let sources = Sources {
        env: vec![(ENV_CONFIG.into(), file.0.clone().into())],
        ..dev()
    };
    assert_eq!(Config::load(&sources).unwrap().log.format, LogFormat::Json);
}

#[test]
fn the_default_file_changes_nothing_even_when_its_lines_are_switched_on() {
    let text: String = template()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    for (name, text) in [("template", template()), ("switched-on", text)] {
        let file = TempFile::new(name, &text);
        let sources = Sources {
            file: Some(file.0.clone()),
            flags: flags(&[("server-tls-cert", "a"), ("server-tls-key", "b")]),
            ..Sources::default()
        };
        let mut config = Config::load(&sources).unwrap();
        (config.server.tls_cert, config.server.tls_key) = (None, None);
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }
}

#[test]
fn unknown_keys_in_the_file_are_refused_with_a_suggestion() {
    assert_eq!(
        mistakes_in("unknown", "[limits]\n\nsesions = 5\n"),
        ["limits.sesions (line 3): there is no such key; did you mean limits.sessions?"]
    );
    assert_eq!(
        mistakes_in("section", "[limit]\nsessions = 5\n"),
        ["limit (line 1): there is no such key; `steadycast config` lists them all"]
    );
    assert_eq!(
        mistakes_in("top", "sessions = 5\n"),
        ["sessions (line 1): there is no such key; `steadycast config` lists them all"]
    );
}

#[test]
fn unknown_variables_are_refused_with_a_suggestion() {
    let sources = Sources {
        env: env(&[("STEADYCAST_LIMIT_SESSIONS", "5"), ("STEADY", "x")]),
        ..dev()
    };
    assert_eq!(
        mistakes(&sources),
        [
            "STEADYCAST_LIMIT_SESSIONS (environment variable STEADYCAST_LIMIT_SESSIONS): \
             there is no such key; did you mean STEADYCAST_LIMITS_SESSIONS?"
        ]
    );
}

#[test]
fn values_that_are_not_allowed_name_key_place_and_range() {
    assert_eq!(
        mistakes_in("range", "[broadcast]\njoin_frames = 601"),
        ["broadcast.join_frames (line 2): 601 is not allowed; \
             it takes a whole number of frames from 1 to 600"]
    );
    assert_eq!(
        mistakes_in("type", "[log]\nformat = \"xml\"\nlevel = 3"),
        [
            "log.format (line 2): \"xml\" is not allowed; it takes text or json",
            "log.level (line 3): 3 is not allowed; \
             it takes a level (error, warn, info, debug, trace) or directives"
        ]
    );
    let sources = Sources {
        flags: flags(&[("server-listen", "4433")]),
        ..dev()
    };
    assert_eq!(
        mistakes(&sources),
        [
            "server.listen (flag --server-listen): \"4433\" is not allowed; \
             it takes an address with a port, such as [::]:4433"
        ]
    );
}

#[test]
fn only_what_a_policy_can_name_may_embed() {
    let text = "[server]\nembed_origins = [\"https://app.example\", \"http://localhost:5173\"]";
    let file = TempFile::new("embed", text);
    let sources = Sources {
        file: Some(file.0.clone()),
        ..dev()
    };
    let allowed = Config::load(&sources).unwrap().server.embed_origins;
    let told: Vec<_> = allowed.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["https://app.example", "http://localhost:5173"]);
    for dev in [false, true] {
        assert_eq!(Config::defaults(dev).server.embed_origins, []);
    }
    for wrong in [
        "*",
        "https://*.example.org",
        "https://app.example/page",
        "https://[::1]:5173",
        "app.example",
    ] {
        let sources = Sources {
            flags: flags(&[("server-embed-origins", wrong)]),
            ..self::dev()
        };
        let why = format!(
            "server.embed_origins (flag --server-embed-origins): [\"{wrong}\"] is not allowed; it takes a list of \
             https://HOST or https://HOST:PORT without a path or *, where HOST is a name or an IPv4 address"
        );
        assert_eq!(mistakes(&sources), [why]);
    }
}

#[test]
fn values_of_odd_types_are_refused_too() {
    for value in [
        "1.5",
        "true",
        "\"5\"",
        "[5]",
        "{}",
        "1979-05-27",
        "99999999999999999999",
    ] {
        let found = mistakes_in("odd", &format!("[limits]\nsessions = {value}"));
        assert_eq!(found.len(), 1, "{value}: {found:?}");
    }
    assert_eq!(mistakes_in("odd-list", "[server]\norigins = [1]").len(), 1);
    assert_eq!(mistakes_in("odd-text", "[server]\nlisten = 4433").len(), 1);
}

#[test]
fn every_mistake_is_told_at_once() {
    let sources = Sources {
        env: env(&[("STEADYCAST_LIMITS_SESSIONS", "none")]),
        flags: flags(&[("log-format", "xml")]),
        ..dev()
    };
    assert_eq!(mistakes(&sources).len(), 2);
}

#[test]
fn a_short_admin_key_is_refused_but_not_shown() {
    let sources = Sources {
        env: env(&[("STEADYCAST_SERVER_ADMIN_KEY", "hunter2")]),
        ..dev()
    };
    let found = mistakes(&sources).concat();
    assert!(found.contains("server.admin_key"), "{found}");
    assert!(!found.contains("hunter2"), "{found}");
}

#[test]
fn a_file_that_is_not_there_or_not_toml_is_named() {
    let sources = Sources {
        file: Some("/nowhere/at-all.toml".into()),
        ..dev()
    };
    assert!(mistakes(&sources).concat().contains("/nowhere/at-all.toml"));
    let found = mistakes_in("broken", "[server]\nlisten = \n").concat();
    assert!(found.starts_with("line 2: not TOML"), "{found}");
}

#[test]
fn a_certificate_needs_its_key_and_only_development_needs_none() {
    let none = mistakes(&Sources::default()).concat();
    assert!(none.contains("use --dev"), "{none}");
    let half = Sources {
        flags: flags(&[("server-tls-cert", "a.pem")]),
        ..dev()
    };
    assert!(mistakes(&half).concat().contains("needs both"));
    assert!(mistakes(&dev()).is_empty());
}

#[test]
fn pages_without_encryption_are_for_development() {
    let url = ("server-public-url", "http://share.example");
    let dev = Sources {
        flags: flags(&[url]),
        ..dev()
    };
    assert!(mistakes(&dev).is_empty());
    let pem = [("server-tls-cert", "a.pem"), ("server-tls-key", "b.pem")];
    let given = |url: (&'static str, &'static str)| Sources {
        flags: flags(&[url, pem[0], pem[1]]),
        dev: false,
        ..Sources::default()
    };
    let wrong = mistakes(&given(url)).concat();
    assert!(
        wrong.contains("server.public_url") && wrong.contains("https"),
        "{wrong}"
    );
    let right = given(("server-public-url", "https://share.example"));
    assert!(mistakes(&right).is_empty());
}

#[test]
fn a_retry_threshold_that_never_takes_effect_is_refused() {
    let sources = Sources {
        flags: flags(&[("limits-retry-above", "2000")]),
        ..dev()
    };
    assert!(mistakes(&sources).concat().contains("limits.retry_above"));
}

#[test]
fn a_certificate_comes_from_one_place_and_an_account_with_its_key() {
    let with = |flag: &[(&str, &str)]| Sources {
        flags: flags(flag),
        ..Sources::default()
    };
    let domains = ("acme-domains", "share.example.test");
    let config = Config::load(&with(&[domains])).unwrap();
    assert_eq!(
        config.acme.settings().unwrap().names,
        ["share.example.test"]
    );
    for (flags, key) in [
        (vec![], "server.tls_cert"),
        (vec![domains, ("acme-directory", "")], "acme.directory"),
        (vec![domains, ("acme-account", "ours")], "acme.account"),
        (vec![("acme-domains", "*.example.test")], "acme.domains"),
        (
            vec![("acme-domains", "share.example.test/")],
            "acme.domains",
        ),
        (
            vec![domains, ("server-tls-cert", "a"), ("server-tls-key", "b")],
            "acme.domains",
        ),
    ] {
        let mistakes = mistakes(&with(&flags));
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].contains(key), "{mistakes:?}");
    }
}
