//! How the relay comes to the servers of others, and what it finds there.

use super::Finding;
use super::network::tcp_answers;
use crate::asking::SafeUrl;
use crate::auth::KeySourceError;
use crate::config::Config;

/// Whether keys of others are where the settings have them, and whether any is of use.
pub(super) fn keys(config: &Config) -> Option<Finding> {
    const ABOUT: &str = "keys of others";
    let source = config.auth.jwks.as_ref()?;
    let counted = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| (error.to_string(), "try again"))
        .and_then(|runtime| runtime.block_on(source.count()).map_err(why_no_keys));
    Some(match counted {
        Ok(1) => Finding::fine(ABOUT, format!("{source} has one")),
        Ok(count) => Finding::fine(ABOUT, format!("{source} has {count}")),
        Err((why, remedy)) => Finding::wrong(ABOUT, format!("{source}: {why}"), remedy),
    })
}

/// What is wrong with keys of others, and what to do.
fn why_no_keys(error: KeySourceError) -> (String, &'static str) {
    match error {
        KeySourceError::File { source, .. } => (
            source.to_string(),
            "set auth.jwks to a file that is there and that the relay's user can read",
        ),
        // What is behind its path may be a secret.
        KeySourceError::Url(error) => {
            let answered = error.status().is_some();
            let remedy = match answered {
                true => "set auth.jwks to where the keys are",
                false => "start it, or open the way from this host to it",
            };
            (reasons(&error.without_url()), remedy)
        }
        KeySourceError::TooLong | KeySourceError::Keys(_) => (
            error.to_string(),
            "set auth.jwks to a JSON Web Key Set, {\"keys\": [...]}; `steadycast keys generate` makes a key that is of use",
        ),
    }
}

/// The error and what caused it.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// Servers that are told and asked.
pub(super) fn servers(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let urls = [
        (
            "authority",
            config.auth.hook.as_ref().map(|SafeUrl(url)| url),
        ),
        ("hooks", config.hooks.url.as_ref().map(|SafeUrl(url)| url)),
    ];
    for (about, url) in urls {
        let Some(url) = url else { continue };
        let place = url.origin().ascii_serialization();
        let found = url.socket_addrs(|| None).map_err(|error| error.to_string());
        let answers = found.and_then(|addresses| {
            let mut answer = Err("it has no address".to_owned());
            for address in addresses {
                answer = answer.or_else(|_| tcp_answers(address));
            }
            answer
        });
        findings.push(match answers {
            Ok(()) => Finding::fine(about, format!("{place} can be reached")),
            Err(why) => {
                let told = format!("{place} cannot be reached: {why}");
                Finding::wrong(
                    about,
                    told,
                    "start it, or open the way from this host to it",
                )
            }
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::TcpListener;

    use super::super::Verdict;
    use super::*;
    use crate::store::temp::TempDir;

    #[test]
    fn keys_of_others_are_there_and_of_use() {
        let dir = TempDir::new();
        let mut config = Config::defaults(true);
        assert_eq!(keys(&config), None);
        config.auth.jwks = Some(dir.file("keys.json").to_str().unwrap().parse().unwrap());
        let judged = |config: &Config| {
            let finding = keys(config).unwrap();
            assert_eq!(finding.remedy.is_some(), finding.verdict != Verdict::Fine);
            (finding.verdict, finding.text)
        };
        assert_eq!(judged(&config).0, Verdict::Wrong, "it is not there");
        for (text, why) in [
            ("junk", "not a JSON Web Key Set"),
            (r#"{"keys":[]}"#, "no key of use"),
        ] {
            fs::write(dir.file("keys.json"), text).unwrap();
            let (verdict, told) = judged(&config);
            assert!(verdict == Verdict::Wrong && told.contains(why), "{told}");
        }
        let good = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        fs::write(dir.file("keys.json"), good).unwrap();
        assert_eq!(judged(&config).0, Verdict::Fine);
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys?secret=1", free.local_addr().unwrap());
        drop(free);
        config.auth.jwks = Some(url.parse().unwrap());
        let (verdict, told) = judged(&config);
        assert!(
            verdict == Verdict::Wrong && !told.contains("secret"),
            "{told}"
        );
    }
}
