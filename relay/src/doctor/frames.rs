//! Pages of others that show the player's page in a frame.

use super::Finding;
use crate::auth::Embedder;
use crate::config::Config;

/// Whether what they show can be all that the page is elsewhere; `None`: there are none.
pub(super) fn embedders(config: &Config) -> Option<Finding> {
    const ABOUT: &str = "frames";
    let embedders = &config.server.embed_origins;
    if embedders.is_empty() {
        return None;
    }
    let (whole, less): (Vec<_>, Vec<_>) = embedders.iter().partition(|one| one.is_trustworthy());
    if less.is_empty() {
        let told = format!("pages of {} may show the player", listed(&whole));
        return Some(Finding::fine(ABOUT, told));
    }
    let told = format!(
        "in pages of {} players have WebRTC alone: browsers give no more to frames in pages without TLS",
        listed(&less)
    );
    let remedy = "serve those pages by https, and name them so in server.embed_origins";
    Some(Finding::better(ABOUT, told, remedy))
}

fn listed(embedders: &[&Embedder]) -> String {
    let names: Vec<_> = embedders.iter().map(ToString::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn pages_without_tls_show_less() {
        let mut config = Config::defaults(true);
        assert_eq!(embedders(&config), None);
        for (named, verdict, told) in [
            ("https://app.example", Verdict::Fine, "https://app.example"),
            ("http://localhost:5173", Verdict::Fine, "localhost"),
            (
                "http://intranet.example",
                Verdict::Better,
                "http://intranet.example",
            ),
        ] {
            config.server.embed_origins =
                vec!["https://b.example".parse().unwrap(), named.parse().unwrap()];
            let finding = embedders(&config).unwrap();
            assert_eq!(finding.verdict, verdict, "{named}");
            assert!(finding.text.contains(told), "{}", finding.text);
            let worse = verdict == Verdict::Better;
            assert_eq!(finding.text.contains("https://b.example"), !worse);
        }
    }
}
