//! `steadycast doctor`: what keeps a relay with these settings from serving well on this host, and what to type.

mod frames;
mod host;
mod ice;
mod network;
mod others;
mod state;

use std::fmt::Write;

use reqwest::Url;

use crate::config::{Config, ConfigError, Sources};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// It works, and could be better.
    Better,
    Wrong,
}

/// What was found out about one thing.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    verdict: Verdict,
    about: &'static str,
    text: String,
    /// What to do about it.
    remedy: Option<String>,
}

impl Finding {
    fn fine(about: &'static str, text: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fine,
            about,
            text: text.into(),
            remedy: None,
        }
    }

    fn better(about: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Better,
            remedy: Some(remedy.into()),
            ..Self::fine(about, text)
        }
    }

    fn wrong(about: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Wrong,
            ..Self::better(about, text, remedy)
        }
    }
}

/// What the doctor says.
#[derive(Debug)]
pub(crate) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing keeps the relay from serving.
    pub(crate) fn is_well(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.verdict != Verdict::Wrong)
    }

    /// For people, a line for each thing, and what to do beneath it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for Finding {
            verdict,
            about,
            text: told,
            remedy,
        } in &self.findings
        {
            let sign = match verdict {
                Verdict::Fine => "ok    ",
                Verdict::Better => "better",
                Verdict::Wrong => "WRONG ",
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{sign}  {about}: {told}");
            for line in remedy.iter().flat_map(|remedy| remedy.lines()) {
                let _ = writeln!(text, "        -> {line}");
            }
        }
        let count = |verdict| {
            let same = self.findings.iter().filter(|one| one.verdict == verdict);
            same.count()
        };
        let _ = match (count(Verdict::Wrong), count(Verdict::Better)) {
            (0, 0) => writeln!(text, "\nNothing is wrong."),
            (0, better) => writeln!(text, "\nNothing is wrong; {better} could be better."),
            (wrong, _) => writeln!(text, "\n{wrong} to be mended."),
        };
        text
    }
}

/// Looks at everything. Changes nothing, and asks nobody but this host, the relay on it, and the servers that the
/// settings name.
pub(crate) fn examine(sources: &Sources) -> Report {
    let config = match Config::load(sources) {
        Ok(config) => config,
        Err(ConfigError(mistakes)) => {
            let wrong = |mistake: crate::config::Mistake| {
                let remedy = "mend it; `steadycast config` prints every setting with its default";
                Finding::wrong("settings", mistake.to_string(), remedy)
            };
            return Report {
                findings: mistakes.into_iter().map(wrong).collect(),
            };
        }
    };
    let mut findings = vec![Finding::fine("settings", "they can be read")];
    let (port, ports) = network::ports(&config);
    findings.push(ports);
    findings.extend(network::metrics(&config, &port));
    findings.extend(network::public_name(&config, &port));
    drop(port);
    findings.extend(frames::embedders(&config));
    findings.extend(network::candidates(&config));
    findings.extend(ice::servers(&config));
    findings.push(host::certificate(&config));
    findings.push(host::clock());
    findings.extend(host::buffers());
    findings.push(host::segmentation());
    findings.push(host::sending());
    findings.push(host::files(&config));
    findings.push(host::state(&config));
    findings.extend(state::kept(&config));
    findings.extend(host::access_log(&config));
    findings.extend(others::keys(&config));
    findings.extend(others::servers(&config));
    Report { findings }
}

/// The host and the port of the relay's public URL.
fn public(config: &Config) -> Option<(String, u16)> {
    let url: Url = config
        .server
        .public_url
        .as_ref()?
        .to_string()
        .parse()
        .ok()?;
    // Brackets are of URLs alone.
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    Some((host, url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_is_wrong_and_what_to_type() {
        let mut report = Report {
            findings: vec![Finding::fine("clock", "it is right")],
        };
        assert!(report.is_well() && report.text().ends_with("\nNothing is wrong.\n"));
        let buffers = Finding::better("buffers", "they are small", "sysctl -w a=1\nsysctl -w b=2");
        report.findings.push(buffers);
        assert!(report.is_well());
        assert!(
            report
                .text()
                .contains("Nothing is wrong; 1 could be better.")
        );
        let disk = Finding::wrong("disk", "it is full", "make room");
        report.findings.push(disk);
        assert!(!report.is_well());
        assert_eq!(
            report.text(),
            "ok      clock: it is right\n\
             better  buffers: they are small\n        -> sysctl -w a=1\n        -> sysctl -w b=2\n\
             WRONG   disk: it is full\n        -> make room\n\n1 to be mended.\n"
        );
    }
}
