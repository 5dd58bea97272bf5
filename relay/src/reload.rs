//! What may change while the relay runs. The settings are read again, and so are certificates and the keys of
//! others; no session notices.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::broadcast::Settings;
use crate::config::{Change, Config, ConfigError, Key};
use crate::http::{Rules, Site};
use crate::telemetry::LogLevel;

/// Reads the settings of a running relay again.
pub(crate) struct Reload {
    /// What holds now.
    pub(crate) config: Config,
    pub(crate) level: LogLevel,
    pub(crate) site: Arc<Site>,
    /// What has certificates looked at, the relay's own and those for other relays.
    pub(crate) certificates: [Option<Arc<Notify>>; 2],
}

impl Reload {
    /// Reads everything again, and says what has changed and what could not. With mistakes in the settings none
    /// of them changes. Waits for the disk.
    pub(crate) fn reload(&mut self) {
        for nudge in self.certificates.iter().flatten() {
            nudge.notify_one();
        }
        self.site.gate.read_keys_again();
        let new = match self.config.again() {
            Ok(new) => new,
            Err(ConfigError(mistakes)) => {
                for mistake in mistakes {
                    tracing::error!(%mistake, "the settings stay as they were");
                }
                return;
            }
        };
        let changed = self.config.differences(&new).into_iter();
        let (now, later): (Vec<_>, Vec<_>) = changed.partition(|key| key.change != Change::Start);
        self.adjust(&new);
        if !later.is_empty() {
            tracing::warn!(settings = %names(&later), "these have changed and take effect with the next start");
        }
        match now.is_empty() {
            true => tracing::info!("read again; no other setting has changed"),
            false => tracing::info!(settings = %names(&now), "these have changed"),
        }
        self.config = new.with_old(&later, &self.config);
    }

    fn adjust(&self, new: &Config) {
        if let Err(error) = self.level.change(&new.log) {
            tracing::error!(%error, "the log stays as it was");
        }
        let site = &self.site;
        site.origins.become_like(&new.origins());
        site.embedders.write().clone_from(&new.server.embed_origins);
        site.registry.adjust(Settings::from(new));
        let rules = Rules::from(new);
        match site.token_keys.allow_always(rules.longest_life()) {
            Ok(()) => *site.rules.write() = rules,
            Err(error) => tracing::error!(%error, "how long links live stays as it was"),
        }
        // It may be another in its file as well.
        match site.state.admin_key(new.server.admin_key.as_ref()) {
            Ok(key) => site.gate.change_admin_key(key),
            Err(error) => tracing::error!(%error, "the admin key stays as it was"),
        }
    }
}

fn names(keys: &[&Key]) -> String {
    let names = keys
        .iter()
        .map(|key| format!("{}.{}", key.section, key.name));
    names.collect::<Vec<_>>().join(", ")
}
