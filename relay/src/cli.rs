//! The command line: what to do, and with which settings.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use clap_complete::Shell;
use reqwest::Url;

use crate::config::{self, Config, ConfigError, ENV_CONFIG, Sources};
use crate::doctor::examine;
use crate::operate::pages::{self, Pages};
use crate::operate::{self, Operation, operate, operation};
use crate::telemetry::reasons;

/// The exit code for what has to be changed before there is any use in trying again: the command line, a setting,
/// or something that a setting names (a file, a directory, an address).
const MISUSE: u8 = 2;

/// Why the program could not do what it was asked for.
pub trait Failure: std::error::Error + Sized + 'static {
    /// Whether a setting, or something that one names, has to be changed first.
    fn is_mistake(&self) -> bool;
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Task {
    /// Run the relay.
    Serve(Box<Config>),
    /// Print the commented default configuration.
    PrintConfig,
    /// Ask a running relay.
    Operate(Box<Operation>),
    /// Say what keeps a relay with these settings from serving.
    Examine(Box<Sources>),
    /// Look at the pages that a relay serves.
    ComparePages(Url),
    /// Print a text about the program itself.
    Print(String),
}

/// Why there is no task.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Help, the version, or a command line that cannot be read.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// The whole program but for what serving means: reads the command line, acts, and returns the exit code.
pub fn run<E: Failure>(serve: impl FnOnce(Config) -> Result<(), E>) -> ExitCode {
    run_with(std::env::args_os(), serve)
}

/// The same with a command line of the caller's, the program's name first.
pub fn run_with<E: Failure>(
    args: impl IntoIterator<Item = OsString>,
    serve: impl FnOnce(Config) -> Result<(), E>,
) -> ExitCode {
    match parse(args, std::env::vars_os()) {
        Ok(Task::PrintConfig) => print(&config::template()),
        Ok(Task::Print(text)) => print(&text),
        Ok(Task::Examine(sources)) => {
            let report = examine(&sources);
            let printed = print(&report.text());
            match report.is_well() {
                true => printed,
                false => ExitCode::FAILURE,
            }
        }
        Ok(Task::ComparePages(relay)) => match pages::check(&relay) {
            Ok(found) => {
                let printed = print(&found.text());
                match found.is_well() {
                    true => printed,
                    false => ExitCode::FAILURE,
                }
            }
            Err(error) => fail(&error),
        },
        Ok(Task::Serve(config)) => match serve(*config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
        Ok(Task::Operate(operation)) => match operate(*operation) {
            Ok(text) => print(&text),
            Err(error) => fail(&error),
        },
        Err(CliError::Usage(error)) if !error.use_stderr() => print(&error.render().to_string()),
        Err(CliError::Usage(error)) => {
            complain(&error.render().to_string());
            ExitCode::from(MISUSE)
        }
        Err(CliError::Config(ConfigError(mistakes))) => {
            for mistake in mistakes {
                complain(&format!("error: {mistake}"));
            }
            ExitCode::from(MISUSE)
        }
    }
}

fn fail<E: Failure>(error: &E) -> ExitCode {
    complain(&format!("error: {}", reasons(error)));
    match error.is_mistake() {
        true => ExitCode::from(MISUSE),
        false => ExitCode::FAILURE,
    }
}

/// What the command line and the environment ask for.
///
/// # Errors
/// [`CliError`]; for `--help` and `--version` too.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    env: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Task, CliError> {
    let matches = command().try_get_matches_from(args)?;
    match matches.subcommand() {
        Some(("serve", matches)) => {
            let sources = sources(matches, env.into_iter().collect());
            Ok(Task::Serve(Box::new(Config::load(&sources)?)))
        }
        Some(("doctor", matches)) => {
            let sources = sources(matches, env.into_iter().collect());
            Ok(Task::Examine(Box::new(sources)))
        }
        Some(("pages", matches)) => Ok(match Pages::of(matches) {
            Some(Pages::Check(relay)) => Task::ComparePages(relay),
            Some(Pages::List) | None => Task::Print(pages::list()),
        }),
        Some(("completions", matches)) => Ok(Task::Print(completions(matches))),
        Some(("man", matches)) => Ok(Task::Print(manual(matches)?)),
        Some(("keys", matches)) if matches.subcommand_name() == Some("generate") => {
            let named = matches
                .subcommand()
                .and_then(|(_, generate)| generate.get_one::<String>("kid"));
            let kid = named.map_or("", String::as_str);
            let made = operate::key_pair(kid).map_err(|error| {
                command().error(clap::error::ErrorKind::Io, format!("{error}\n"))
            })?;
            Ok(Task::Print(made))
        }
        _ => Ok(match operation(&matches) {
            Some(operation) => Task::Operate(Box::new(operation)),
            None => Task::PrintConfig,
        }),
    }
}

fn sources(matches: &ArgMatches, env: Vec<(OsString, OsString)>) -> Sources {
    let given = |flag: &String| matches.get_one::<String>(flag).cloned();
    let flags: HashMap<_, _> = config::named()
        .filter_map(|(_, names)| Some((names.flag.clone(), given(&names.flag)?)))
        .collect();
    Sources {
        file: matches.get_one::<PathBuf>("config").cloned(),
        dev: matches.get_flag("dev"),
        flags,
        env,
    }
}

fn completions(matches: &ArgMatches) -> String {
    let mut text = Vec::new();
    if let Some(shell) = matches.get_one::<Shell>("shell") {
        clap_complete::generate(*shell, &mut command(), "steadycast", &mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The manual page of a command, in roff.
fn manual(matches: &ArgMatches) -> Result<String, clap::Error> {
    let mut command = command();
    command.build();
    let mut page = command.clone();
    for name in matches.get_many::<String>("command").into_iter().flatten() {
        let Some(sub) = page.find_subcommand(name) else {
            let why = format!("there is no command {name:?}\n");
            return Err(command.error(clap::error::ErrorKind::InvalidSubcommand, why));
        };
        page = sub.clone();
    }
    let title = page.get_display_name().unwrap_or("steadycast").to_owned();
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = clap_mangen::Man::new(page).title(title).render(&mut text);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn command() -> Command {
    Command::new("steadycast")
        .version(env!("CARGO_PKG_VERSION"))
        .about("One-to-many screen sharing that survives the admin's page.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(with_settings(
            Command::new("serve").about("Run the relay"),
        ))
        .subcommand(with_settings(
            Command::new("doctor")
                .about("Say what keeps a relay with these settings from serving well on this host, and what to type"),
        ))
        .subcommand(Command::new("config").about("Print the commented default configuration file"))
        .subcommands(operate::commands())
        .subcommand(pages::command())
        .subcommand(
            Command::new("completions")
                .about("Print what completes commands in a shell")
                .arg(
                    Arg::new("shell")
                        .value_name("SHELL")
                        .required(true)
                        .value_parser(clap::value_parser!(Shell)),
                ),
        )
        .subcommand(
            Command::new("man")
                .about("Print the manual page of this program, or of one of its commands")
                .arg(
                    Arg::new("command")
                        .value_name("COMMAND")
                        .action(ArgAction::Append),
                ),
        )
}

/// A command with the settings of a relay.
fn with_settings(command: Command) -> Command {
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help(format!("Read this file [env: {ENV_CONFIG}]"));
    let dev = Arg::new("dev")
        .long("dev")
        .action(ArgAction::SetTrue)
        .help("Development: plain HTTP too, a certificate of the relay's own, links to click");
    command
        .arg(file)
        .arg(dev)
        .args(config::named().map(|(key, names)| {
            Arg::new(names.flag.as_str())
                .long(names.flag.as_str())
                .value_name("VALUE")
                .allow_hyphen_values(true)
                .help_heading(key.section)
                .help(flag_help(key, names))
        }))
}

fn flag_help(key: &config::Key, names: &config::Names) -> String {
    let mut help = format!("{} [env: {}]", key.doc, names.env);
    if !key.default.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(help, " [default: {}]", key.default);
    }
    help
}

/// Writes to stdout; a closed pipe (`steadycast config | head`) is nobody's fault.
fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            complain(&format!("error: cannot write: {error}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
}

/// What to click once a development relay is up.
#[derive(Debug, Clone)]
pub struct Banner<'a> {
    /// Where this machine's browsers reach the relay: `http://localhost:4433`.
    pub local: &'a str,
    /// Where other machines' browsers do: `https://192.168.1.7:4433`.
    pub network: &'a [String],
    /// The first broadcast's links; `None`: it is private, or would be, and the relay has no key to make them with.
    pub first: Option<First<'a>>,
}

/// The links of the first broadcast.
#[derive(Debug, Clone, Copy)]
pub struct First<'a> {
    /// The path and fragment of the admin's page.
    pub admin: &'a str,
    /// The path and fragment of the player's page.
    pub player: &'a str,
}

/// The links of the first broadcast for the terminal of a development relay.
pub fn startup_banner(banner: &Banner<'_>, colour: bool) -> String {
    let (bold, dim, plain) = if colour {
        ("\x1b[1m", "\x1b[2m", "\x1b[0m")
    } else {
        ("", "", "")
    };
    let Banner {
        local,
        network,
        first,
    } = banner;
    let version = env!("CARGO_PKG_VERSION");
    let mut text =
        format!("\n  {bold}Steadycast {version}{plain} {dim}development relay{plain}\n\n");
    let Some(First { admin, player }) = first else {
        let _ = write!(
            text,
            "  {bold}Admin{plain}   {local}/admin\n\n\
             \x20 {dim}Broadcasts are private here: their links have a key that no relay knows. This page makes them, with\n\
             \x20 the admin key, which is in the state directory; and so does steadycast broadcast create.{plain}\n\n"
        );
        return text;
    };
    let _ = write!(
        text,
        "  {bold}Admin{plain}   {local}{admin}\n\
         \x20 {bold}Player{plain}  {local}{player}\n"
    );
    if !network.is_empty() {
        let _ = write!(
            text,
            "\n  {dim}On other devices (the browser asks once about the certificate):{plain}\n"
        );
    }
    for base in *network {
        let _ = writeln!(text, "  {bold}Player{plain}  {base}{player}");
    }
    text.push('\n');
    text
}

/// Prints the banner, in colour where a person looks at it.
pub fn show_banner(banner: &Banner<'_>) {
    print(&startup_banner(banner, std::io::stdout().is_terminal()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(args: &[&str]) -> Result<Task, CliError> {
        let args = ["steadycast"].iter().chain(args).map(OsString::from);
        parse(args, std::iter::empty())
    }

    fn usage(args: &[&str]) -> String {
        match task(args) {
            Err(CliError::Usage(error)) => error.render().to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_reach_the_settings() {
        let args = [
            "serve",
            "--dev",
            "--limits-sessions",
            "5",
            "--log-format=json",
        ];
        let Ok(Task::Serve(config)) = task(&args) else {
            panic!("not served");
        };
        assert!(config.dev);
        assert_eq!(config.limits.sessions, 5);
        assert_eq!(config.log.format, config::LogFormat::Json);
    }

    #[test]
    fn the_environment_reaches_the_settings() {
        let args = ["steadycast", "serve", "--dev"].map(OsString::from);
        let env = [("STEADYCAST_LIMITS_SESSIONS".into(), "6".into())];
        let Ok(Task::Serve(config)) = parse(args, env) else {
            panic!("not served");
        };
        assert_eq!(config.limits.sessions, 6);
    }

    #[test]
    fn an_unknown_flag_is_answered_with_a_near_one() {
        let text = usage(&["serve", "--limits-sesions", "5"]);
        assert!(text.contains("--limits-sessions"), "{text}");
    }

    #[test]
    fn the_help_lists_every_flag_with_its_variable_under_its_section() {
        let text = usage(&["serve", "--help"]);
        for (_, names) in config::named() {
            assert!(text.contains(&format!("--{} ", names.flag)), "{text}");
            assert!(text.contains(&names.env), "{text}");
        }
        for (section, _) in config::SECTIONS {
            assert!(text.contains(&format!("\n{section}:\n")), "{text}");
        }
    }

    #[test]
    fn a_value_may_begin_with_a_hyphen_and_is_judged_by_its_key() {
        let Err(CliError::Config(error)) = task(&["serve", "--dev", "--limits-sessions", "-1"])
        else {
            panic!("not refused");
        };
        assert!(error.to_string().contains("limits.sessions"));
    }

    #[test]
    fn the_default_file_and_the_version_can_be_asked_for() {
        assert!(matches!(task(&["config"]), Ok(Task::PrintConfig)));
        assert!(usage(&["--version"]).contains(env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn shells_and_manuals_know_every_command() {
        let printed = |args: &[&str]| match task(args) {
            Ok(Task::Print(text)) => text,
            other => panic!("{other:?}"),
        };
        for shell in ["bash", "zsh", "fish"] {
            let text = printed(&["completions", shell]);
            assert!(
                text.contains("limits-sessions") && text.contains("revoke"),
                "{shell}"
            );
        }
        let page = printed(&["man"]);
        assert!(
            page.contains(".TH steadycast") && page.contains("token"),
            "{page}"
        );
        let page = printed(&["man", "token", "create"]);
        assert!(
            page.contains(".TH steadycast-token-create") && page.contains("ttl"),
            "{page}"
        );
        let page = printed(&["man", "serve"]);
        assert!(page.contains("STEADYCAST_LIMITS_SESSIONS"), "{page}");
        assert!(usage(&["man", "nothing"]).contains("nothing"));
    }

    #[test]
    fn the_banner_has_links_and_colours_only_where_wanted() {
        let network = ["https://192.168.1.7:4433".to_owned()];
        let banner = Banner {
            local: "http://localhost:4433",
            network: &network,
            first: Some(First {
                admin: "/admin#A",
                player: "/play#P",
            }),
        };
        let text = startup_banner(&banner, false);
        assert!(text.contains("http://localhost:4433/admin#A"), "{text}");
        assert!(text.contains("https://192.168.1.7:4433/play#P"), "{text}");
        assert!(!text.contains('\x1b'));
        assert!(startup_banner(&banner, true).contains('\x1b'));
    }
}
