//! What a development relay says when it starts.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{Relay, RelayError};
use crate::broadcast::{BroadcastId, RegistryError};
use crate::cli::{Banner, First, show_banner};
use crate::http::{CreateError, NewBroadcast, Site, to_page};
use crate::tls::host_addresses;

/// The broadcast that a development relay begins with.
const FIRST: &str = "main";

/// Prints the links of the first broadcast.
pub(super) struct Welcome {
    site: Arc<Site>,
    address: SocketAddr,
}

impl Welcome {
    pub(super) fn to(relay: &Relay) -> Self {
        Self {
            site: relay.site.clone(),
            address: relay.address,
        }
    }

    /// The same where several relays begin with one.
    pub(super) async fn show_to_several(self) {
        if let Some(homes) = &self.site.homes {
            homes.begun().await;
        }
        if let Err(error) = self.show().await {
            tracing::warn!(%error, broadcast = FIRST, "the first broadcast has no links");
        }
    }

    /// Prints them; creates the broadcast where it is missing.
    pub(super) async fn show(&self) -> Result<(), RelayError> {
        let Ok(id) = FIRST.parse::<BroadcastId>() else {
            return Ok(());
        };
        let private = self.is_private(&id);
        // One that is private is made by whoever makes its key as well, which is not the relay.
        if !private && !self.site.knows(&id) {
            let first = NewBroadcast {
                id: Some(id.clone()),
                description: "Main broadcast".into(),
                maker: None,
            };
            // It serves all the same: the others may be what it is there for.
            match self.site.create(first).await {
                // Another relay was faster.
                Ok(_) | Err(CreateError::Registry(RegistryError::Exists)) => {}
                Err(error) => {
                    tracing::warn!(%error, broadcast = FIRST, "the first broadcast cannot be made");
                    return Ok(());
                }
            }
        }
        let port = self.address.port();
        let public = self.site.public_url.as_ref().map(ToString::to_string);
        // Behind a public URL pages may have to be come to that way.
        let elsewhere = self.address.ip().is_unspecified() && public.is_none();
        let network: Vec<_> = host_addresses()
            .into_iter()
            .filter(|_| elsewhere)
            .map(|ip| format!("https://{}", SocketAddr::new(ip, port)))
            .collect();
        // Browsers take the first address of a name only; one that was chosen is named as it is.
        let local = match self.address.ip() {
            _ if public.is_some() => public.unwrap_or_default(),
            ip if ip.is_unspecified() => format!("http://localhost:{port}"),
            _ => format!("http://{}", self.address),
        };
        if private {
            let first = None;
            show_banner(&Banner {
                local: &local,
                network: &network,
                first,
            });
            return Ok(());
        }
        let tokens = self.site.mint_both(&id)?;
        show_banner(&Banner {
            local: &local,
            network: &network,
            first: Some(First {
                admin: &to_page("admin", &tokens.publish),
                player: &to_page("play", &tokens.play),
            }),
        });
        Ok(())
    }

    /// Whether the first broadcast is private, or would be.
    fn is_private(&self, id: &BroadcastId) -> bool {
        let site = &self.site;
        let known = site.homes.as_ref().and_then(|homes| homes.entry(id));
        let known = known.map(|entry| entry.private);
        let here = || site.registry.find(id).map(|one| one.is_private());
        known.or_else(here).unwrap_or(site.rules().private)
    }
}
