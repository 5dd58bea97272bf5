//! The relay's certificate: where it comes from, how it is kept fresh, and the TLS configurations made with it.
//!
//! A [`Keeper`] owns the certificate's source and tells a new [`Identity`] through a
//! channel; the configurations look there at every handshake, so that HTTPS and QUIC
//! change over together and without a restart.

mod acme;
mod challenge;
mod config;
mod development;
mod identity;
mod keeper;
mod looking;
mod names;
mod pem;
mod relays;

pub use acme::{AcmeSettings, Binding, BindingKey, NoBindingKey};
pub use challenge::Challenges;
pub use config::{https_config, quic_config};
pub use identity::{Identities, Identity, TlsError};
pub use keeper::{Keeper, Source};
pub use names::{host_addresses, interface_addresses};

pub(crate) use acme::kept_certificate;
pub(crate) use challenge::ALPN as CHALLENGE_ALPN;
pub(crate) use pem::read_pem;
pub(crate) use relays::{RelayPapers, RelayTls};
