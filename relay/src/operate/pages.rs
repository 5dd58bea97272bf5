//! Whether a relay serves the pages of this release, which who uses private broadcasts has to trust (docs/security.md).

use std::fmt::Write;

use clap::{Arg, ArgMatches, Command};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use reqwest::{Client, Response, StatusCode, Url};
use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::client::{OperateError, at_once};
use crate::http::{PageFile, page_files};

/// What is asked for of every file; nothing: as it is.
const CODINGS: [(&str, &str); 3] = [("identity", ""), ("br", ".br"), ("gzip", ".gz")];

/// Something to do with the pages.
#[derive(Debug, Clone, PartialEq)]
pub enum Pages {
    /// Print what belongs to this release.
    List,
    /// Compare with what the relay here serves.
    Check(Url),
}

/// The commands.
pub fn command() -> Command {
    let url = Arg::new("url")
        .long("url")
        .value_name("URL")
        .required(true)
        .value_parser(clap::value_parser!(Url))
        .help("Where the relay is");
    Command::new("pages")
        .about("The pages of this release, which its relays serve")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("list").about("Print their files with their SHA-256, as sha256sum does"),
        )
        .subcommand(
            Command::new("check")
                .about("Compare what a relay serves with the pages of this release; fails where something differs")
                .arg(url),
        )
}

impl Pages {
    /// Which of the commands these are the arguments of.
    pub fn of(matches: &ArgMatches) -> Option<Self> {
        match matches.subcommand()? {
            ("list", _) => Some(Self::List),
            ("check", matches) => Some(Self::Check(matches.get_one::<Url>("url")?.clone())),
            _ => None,
        }
    }
}

/// What a relay's pages were found to be.
#[derive(Debug)]
pub struct Found {
    /// What differs, and how; nothing: all is as it was released.
    differences: Vec<String>,
    files: usize,
    /// The relay's version, where it says another one.
    other: Option<String>,
}

impl Found {
    /// Whether all is as it was released.
    pub fn is_well(&self) -> bool {
        self.differences.is_empty()
    }

    /// The same for people.
    pub fn text(&self) -> String {
        let own = env!("CARGO_PKG_VERSION");
        let mut text = self
            .differences
            .iter()
            .fold(String::new(), |text, one| text + one + "\n");
        // Writing to a string cannot fail.
        let _ = match self.differences.len() {
            0 => writeln!(
                text,
                "All {} files are those of Steadycast {own}.",
                self.files
            ),
            many => writeln!(
                text,
                "Of {} files of Steadycast {own}, {many} are not as they were released.",
                self.files
            ),
        };
        if let Some(other) = &self.other {
            let _ = writeln!(
                text,
                "The relay says that it is version {other}: compare it with the program of that release."
            );
        }
        text
    }
}

/// The pages' files with their hashes, as `sha256sum` prints and reads them.
pub fn list() -> String {
    page_files().fold(String::new(), |mut text, PageFile { name, sha256 }| {
        let _ = writeln!(text, "{}  {name}", hex(&sha256));
        text
    })
}

/// Asks for each file in each coding that browsers may have it in.
///
/// # Errors
/// [`OperateError`] where the relay does not answer.
pub fn check(relay: &Url) -> Result<Found, OperateError> {
    let all: Vec<_> = page_files().collect();
    if all.is_empty() {
        return Err(OperateError::NoPages);
    }
    let base = relay.as_str().trim_end_matches('/');
    at_once(async |client| {
        let other = version(&client, base).await?;
        let mut differences = Vec::new();
        let plain = all.iter().filter(|file| !is_encoded(&all, &file.name));
        let mut files = 0;
        for PageFile { name, .. } in plain {
            files += 1;
            for (coding, end) in CODINGS {
                let expected = all.iter().find(|file| file.name == format!("{name}{end}"));
                let answer = ask(&client, base, name, coding).await?;
                differences.extend(difference(name, coding, expected, answer).await?);
            }
        }
        Ok(Found {
            differences,
            files,
            other: other.filter(|version| version != env!("CARGO_PKG_VERSION")),
        })
    })
}

async fn version(client: &Client, base: &str) -> Result<Option<String>, OperateError> {
    let answer = client.get(format!("{base}/api/relay")).send().await;
    let text = answer.map_err(OperateError::Unreachable)?.text().await;
    let text = text.map_err(OperateError::Unreachable)?;
    let said: Value = serde_json::from_str(&text).unwrap_or_default();
    Ok(said["version"].as_str().map(str::to_owned))
}

/// A file by where browsers find it.
async fn ask(
    client: &Client,
    base: &str,
    name: &str,
    coding: &str,
) -> Result<Response, OperateError> {
    let path = match name {
        "index.html" => "",
        "admin.html" => "admin",
        "host.html" => "host",
        "play.html" => "play",
        other => other,
    };
    let asking = client.get(format!("{base}/{path}"));
    let answer = asking.header(ACCEPT_ENCODING, coding).send().await;
    answer.map_err(OperateError::Unreachable)
}

/// How an answer is another than was expected; a file that has no such coding comes as it is.
async fn difference(
    name: &str,
    asked: &str,
    expected: Option<&PageFile>,
    answer: Response,
) -> Result<Option<String>, OperateError> {
    let status = answer.status();
    if status != StatusCode::OK {
        return Ok(Some(format!("{name}: is not there ({status})")));
    }
    let coding = answer.headers().get(CONTENT_ENCODING);
    let coding = coding
        .map_or("identity", |value| value.to_str().unwrap_or("?"))
        .to_owned();
    let bytes = answer.bytes().await.map_err(OperateError::Unreachable)?;
    let Some(expected) = expected else {
        // Looked at as it is already.
        let strange = coding != "identity";
        return Ok(
            strange.then(|| format!("{name}: comes as {coding}, as which it was not released"))
        );
    };
    let same = coding == asked && digest(&SHA256, &bytes).as_ref() == expected.sha256;
    Ok((!same).then(|| match coding == asked {
        true => format!("{name}: differs ({coding})"),
        false => format!("{name}: comes as {coding} to who asks for {asked}"),
    }))
}

/// Whether it is another file in a coding.
fn is_encoded(all: &[PageFile], name: &str) -> bool {
    let plain = name
        .strip_suffix(".br")
        .or_else(|| name.strip_suffix(".gz"));
    plain.is_some_and(|plain| all.iter().any(|file| file.name == plain))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
