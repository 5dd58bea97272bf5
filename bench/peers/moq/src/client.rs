//! Dialling the relay.

use std::net::Ipv4Addr;

use moq_tokio::{Client, connect};

use crate::relay::HOST_NAME;

/// A client with a UDP socket of its own, which dials once and trusts anybody: the relay makes its certificate up.
///
/// # Errors
/// When there is no socket at this address.
pub(crate) fn client(from: Ipv4Addr) -> Result<Client, moq_tokio::Error> {
    let mut config = connect::Config::default();
    config.bind = Some((from, 0).into());
    config.tls.insecure = Some(true);
    config.tls.host_name = Some(HOST_NAME.to_owned());
    config.once = Some(true);
    config.init(Default::default())
}
