//! The commands, and what each asks of the relay.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use reqwest::{Method, Url};
use serde_json::{Map, Value, json};

use super::client::{Asked, Request};
use super::keying::Keying;
use super::show::Shown;
use crate::http::token_in;

/// What an operator wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Of which relay.
    pub relay: Asked,
    pub(super) request: Request,
    pub(super) keying: Keying,
    /// Whether the answer is shown as it comes.
    pub json: bool,
}

/// The commands that ask a running relay.
pub fn commands() -> impl Iterator<Item = Command> {
    [
        group("broadcast", "Broadcasts of a running relay").subcommands([
            leaf("list", "List them")
                .arg(text("maker", "WHO").help("Those made with a token about this subject alone")),
            leaf("create", "Create one, and print its links")
                .arg(text("id", "ID").help("An id of your choice; else one is made up"))
                .arg(text("title", "TITLE").help("Its name for people"))
                .arg(flag(
                    "private",
                    "Only people with its links can see it: a key that no relay knows is made here, and is in them",
                ))
                .arg(key("A key of your own for a private one")),
            leaf("end", "End one, for everybody and for good").arg(id()),
            leaf("keyframe", "Ask its publisher for a keyframe").arg(id()),
            leaf("links", "Print new links to one")
                .arg(id())
                .arg(
                    text("end", "ROLE")
                        .action(ArgAction::Append)
                        .value_parser(["publish", "play"])
                        .help("End the links until now for this role, and their sessions"),
                )
                .arg(key("The key of a private one")),
        ]),
        group("session", "Sessions of a running relay").subcommands([
            leaf("list", "List those at a broadcast").arg(id()),
            leaf("kick", "End one")
                .arg(id())
                .arg(
                    Arg::new("session")
                        .value_name("SESSION")
                        .required(true)
                        .value_parser(clap::value_parser!(u64))
                        .help("Its number"),
                )
                .arg(flag("revoke", "Take its token back as well")),
        ]),
        group("token", "Tokens of a running relay").subcommands([
            leaf("create", "Make one")
                .arg(
                    text("broadcast", "PATTERN")
                        .required(true)
                        .help("The broadcast's id, or the beginning of ids and * behind it"),
                )
                .arg(
                    text("role", "ROLE")
                        .required(true)
                        .action(ArgAction::Append)
                        .value_parser(["publish", "play", "admin"])
                        .help("What its holder may be there"),
                )
                .arg(text("subject", "WHO").help("Whom it is about"))
                .arg(text("name", "NAME").help("What others see of its holder"))
                .arg(number("ttl", "SECONDS").help("How long it is good"))
                .arg(flag("stay-until", "Sessions end with it"))
                .arg(number("players", "COUNT").help("How many players its publisher may have"))
                .arg(number("renditions", "COUNT").help("How many renditions its publisher is asked for"))
                .arg(number("kbps", "KBPS").help("How much its publisher may bring, in kbit/s"))
                .arg(key("The key of a private broadcast, for the link")),
            leaf("inspect", "Say what one is good for, here and now").arg(
                Arg::new("token")
                    .value_name("TOKEN")
                    .required(true)
                    .help("The token, or a link with it"),
            ),
            leaf("revoke", "Take one back, or all that somebody has")
                .arg(
                    text("id", "ID")
                        .help("The token's id")
                        .conflicts_with("subject"),
                )
                .arg(
                    text("subject", "WHO")
                        .required_unless_present("id")
                        .help("Whom the tokens are about"),
                ),
        ]),
        group("keys", "Keys").subcommands([
            leaf("rotate", "Have a running relay make a new key")
                .arg(
                    Arg::new("key")
                        .value_name("KEY")
                        .required(true)
                        .value_parser(["tokens", "admin"])
                        .help("That with which it signs tokens, or the admin key"),
                )
                .arg(flag(
                    "end-links",
                    "All links until now end, and their sessions; else they stay good",
                )),
            Command::new("generate")
                .about("Make a key for issuing tokens of your own: the private key, and what auth.jwks is to have")
                .arg(
                    text("kid", "NAME")
                        .default_value("1")
                        .help("What tokens name the key by (`kid`)"),
                ),
        ]),
    ]
    .into_iter()
}

fn group(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .subcommand_required(true)
        .arg_required_else_help(true)
}

fn leaf(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).args([
        text("url", "URL")
            .env("STEADYCAST_SERVER_PUBLIC_URL")
            .default_value("http://localhost:4433")
            .value_parser(clap::value_parser!(Url))
            .help("Where the relay is"),
        text("admin-key", "KEY")
            .env("STEADYCAST_SERVER_ADMIN_KEY")
            .hide_env_values(true)
            .help("The admin key; else the one in the state directory"),
        text("state-dir", "DIRECTORY")
            .env("STEADYCAST_SERVER_STATE_DIR")
            .default_value("state")
            .value_parser(clap::value_parser!(PathBuf))
            .help("The relay's state directory"),
        flag(
            "json",
            "Print the relay's answer as it is, with whole links to a private broadcast",
        ),
    ])
}

fn text(name: &'static str, value: &'static str) -> Arg {
    // Ids of tokens may begin with a hyphen.
    Arg::new(name)
        .long(name)
        .value_name(value)
        .allow_hyphen_values(true)
}

fn number(name: &'static str, value: &'static str) -> Arg {
    text(name, value).value_parser(clap::value_parser!(u64))
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

fn key(what: &str) -> Arg {
    text("key", "KEY").help(format!(
        "{what}: itself, or a link that has it; - reads it from standard input"
    ))
}

fn id() -> Arg {
    Arg::new("broadcast")
        .value_name("BROADCAST")
        .required(true)
        .help("Its id")
}

/// What a command line of one of the [`commands`] asks for; `None`: it is of another.
pub fn operation(matches: &ArgMatches) -> Option<Operation> {
    let (group, matches) = matches.subcommand()?;
    let (name, matches) = matches.subcommand()?;
    let given = |name: &str| matches.get_one::<String>(name).cloned();
    let broadcast = || format!("/api/broadcasts/{}", given("broadcast").unwrap_or_default());
    let is_private = (group, name) == ("broadcast", "create")
        && (matches.get_flag("private") || given("key").is_some());
    let request = match (group, name) {
        ("broadcast", "list") => {
            let mut list = get("/api/broadcasts".to_owned(), Shown::Broadcasts);
            list.query.push(("limit", "1000".to_owned()));
            list.query
                .extend(given("maker").map(|maker| ("maker", maker)));
            list
        }
        ("broadcast", "keyframe") => {
            post(format!("{}/keyframe", broadcast()), json!({}), Shown::Asked)
        }
        ("broadcast", "create") => {
            let mut body = object([("id", given("id")), ("title", given("title"))]);
            if is_private {
                body["private"] = json!(true);
            }
            post("/api/broadcasts".to_owned(), body, Shown::Links)
        }
        ("broadcast", "end") => delete(broadcast(), None),
        ("broadcast", "links") => {
            let body = json!({ "end": many(matches, "end") });
            post(format!("{}/links", broadcast()), body, Shown::Links)
        }
        ("session", "list") => get(format!("{}/sessions", broadcast()), Shown::Sessions),
        ("session", "kick") => {
            let session = matches.get_one::<u64>("session")?;
            let body = json!({ "revoke": matches.get_flag("revoke") });
            delete(format!("{}/sessions/{session}", broadcast()), Some(body))
        }
        ("token", "create") => {
            let mut body = object([
                ("broadcast", given("broadcast")),
                ("subject", given("subject")),
                ("name", given("name")),
            ]);
            body["roles"] = json!(many(matches, "role"));
            if let Some(seconds) = matches.get_one::<u64>("ttl") {
                body["ttlS"] = json!(seconds);
            }
            if matches.get_flag("stay-until") {
                body["expiry"] = json!("stay_until");
            }
            for limit in ["players", "renditions", "kbps"] {
                if let Some(most) = matches.get_one::<u64>(limit) {
                    body["limits"][limit] = json!(most);
                }
            }
            post("/api/tokens".to_owned(), body, Shown::Token)
        }
        ("token", "inspect") => {
            let given = given("token").unwrap_or_default();
            let body = json!({ "token": token_in(&given) });
            post("/api/tokens/inspect".to_owned(), body, Shown::Inspected)
        }
        ("keys", "rotate") => {
            let body = json!({ "key": given("key"), "endLinks": matches.get_flag("end-links") });
            post("/api/keys".to_owned(), body, Shown::Key)
        }
        ("token", "revoke") => {
            let body = object([("tokenId", given("id")), ("subject", given("subject"))]);
            post("/api/revocations".to_owned(), body, Shown::Revoked)
        }
        _ => return None,
    };
    Some(Operation {
        relay: Asked {
            url: matches.get_one::<Url>("url")?.clone(),
            admin_key: given("admin-key"),
            state_dir: matches.get_one::<PathBuf>("state-dir")?.clone(),
        },
        request,
        keying: keying(group, name, matches),
        json: matches.get_flag("json"),
    })
}

/// What becomes of the key, where links are printed.
fn keying(group: &str, name: &str, matches: &ArgMatches) -> Keying {
    let given = |name: &str| matches.get_one::<String>(name).cloned();
    match (group, name) {
        ("broadcast", "create") => Keying::New {
            private: matches.get_flag("private"),
            key: given("key"),
        },
        ("broadcast", "links") => Keying::Links {
            broadcast: given("broadcast").unwrap_or_default(),
            ends_viewers: many(matches, "end").iter().any(|role| role == "play"),
            key: given("key"),
        },
        ("token", "create") => match given("broadcast") {
            Some(broadcast) if !broadcast.ends_with('*') || given("key").is_some() => {
                Keying::Token {
                    broadcast,
                    key: given("key"),
                }
            }
            _ => Keying::Needless,
        },
        _ => Keying::Needless,
    }
}

fn many(matches: &ArgMatches, name: &str) -> Vec<String> {
    let values = matches.get_many::<String>(name);
    values
        .map(|values| values.cloned().collect())
        .unwrap_or_default()
}

fn object<const N: usize>(fields: [(&str, Option<String>); N]) -> Value {
    let given = fields.into_iter();
    let given = given.filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))));
    Value::Object(given.collect::<Map<_, _>>())
}

fn get(path: String, shown: Shown) -> Request {
    Request {
        method: Method::GET,
        path,
        query: Vec::new(),
        body: None,
        shown,
    }
}

fn post(path: String, body: Value, shown: Shown) -> Request {
    Request {
        method: Method::POST,
        path,
        query: Vec::new(),
        body: Some(body),
        shown,
    }
}

fn delete(path: String, body: Option<Value>) -> Request {
    Request {
        method: Method::DELETE,
        path,
        query: Vec::new(),
        body,
        shown: Shown::Done,
    }
}
