//! How clients come to the relay, and the relay to the servers of others.

use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::Finding;
use crate::asking::SafeUrl;
use crate::auth::KeySource;
use crate::config::Config;
use crate::sockets::Sockets;
use crate::tls::interface_addresses;

/// How long anybody has to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the port is free, or a relay serves there, over TCP and UDP alike.
pub(super) fn ports(config: &Config) -> Vec<Finding> {
    const ABOUT: &str = "ports";
    let listen = config.server.listen;
    let error = match Sockets::bind(listen, config.relay.shards()) {
        Ok(sockets) => {
            let port = sockets
                .address()
                .map_or(listen.port(), |address| address.port());
            let told = format!("{listen} is free; clients need TCP and UDP to reach port {port}");
            return vec![Finding::fine(ABOUT, told)];
        }
        Err(error) => error,
    };
    // Perhaps it is the relay that has it.
    let local = match listen.ip() {
        ip if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], listen.port())),
        ip => (ip, listen.port()).into(),
    };
    if let Err(why) = quic_answers(local) {
        let remedy = format!(
            "ss -lptun 'sport = :{}' says who has it; set server.listen to another",
            listen.port()
        );
        let told = format!("{error}, and no relay answers there ({why})");
        return vec![Finding::wrong(ABOUT, told, remedy)];
    }
    let mut findings = vec![Finding::fine(
        ABOUT,
        format!("a relay serves at {local}, over UDP too"),
    )];
    findings.extend(outside(config));
    findings
}

/// Whether the relay answers at its public address, as far as can be told from here.
fn outside(config: &Config) -> Vec<Finding> {
    let Some((host, port)) = super::public(config) else {
        return Vec::new();
    };
    let addresses: Vec<_> = match (host.as_str(), port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            let told = format!("{host} is nothing that can be found: {error}");
            let remedy = "give the name an address (DNS), or set server.public_url";
            return vec![Finding::wrong("public address", told, remedy)];
        }
    };
    let tell = |address: SocketAddr| {
        let over = |what: &str, answer: Result<(), String>| match answer {
            Ok(()) => Finding::fine("public address", format!("{address} answers over {what}")),
            Err(why) => {
                let told = format!("{address} does not answer over {what} from here: {why}");
                let remedy = format!(
                    "open {what} port {} in firewalls, and forward it where there is a NAT (some do not let a host \
                     reach itself that way: try from elsewhere)",
                    address.port()
                );
                Finding::better("public address", told, remedy)
            }
        };
        [
            over("TCP", tcp_answers(address)),
            over("UDP", quic_answers(address)),
        ]
    };
    addresses.into_iter().flat_map(tell).collect()
}

/// Where WebRTC clients are told to come.
pub(super) fn candidates(config: &Config) -> Option<Finding> {
    const ABOUT: &str = "WebRTC candidates";
    if config.webrtc.addresses.is_empty() {
        let own = interface_addresses();
        let public = own.iter().any(|ip| is_public(*ip));
        let listed = list(&own);
        if own.is_empty() {
            let remedy = "set webrtc.addresses to where clients reach this host";
            return Some(Finding::wrong(ABOUT, "this host has no address", remedy));
        }
        if !public {
            let told = format!("{listed}: clients outside of this network cannot come there");
            let remedy = "behind a NAT set webrtc.addresses to the address outside; within one network all is well";
            return Some(Finding::better(ABOUT, told, remedy));
        }
        return Some(Finding::fine(ABOUT, listed));
    }
    let port = config.server.listen.port();
    let places = config.webrtc.addresses.iter();
    let places = places.map(|place| place.with_port(port).to_string());
    let places: Vec<_> = places.collect();
    Some(Finding::fine(ABOUT, places.join(", ")))
}

fn list(addresses: &[IpAddr]) -> String {
    let texts: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
    texts.join(", ")
}

/// Whether an address is one of the whole Internet.
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared)
        }
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

/// Servers that the settings name.
pub(super) fn servers(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(KeySource::File(path)) = &config.auth.jwks {
        findings.push(match std::fs::metadata(path) {
            Ok(_) => Finding::fine("keys of others", format!("{} is there", path.display())),
            Err(error) => {
                let told = format!("{}: {error}", path.display());
                Finding::wrong(
                    "keys of others",
                    told,
                    "set auth.jwks to a file that is there",
                )
            }
        });
    }
    let urls = [
        (
            "keys of others",
            config.auth.jwks.as_ref().and_then(KeySource::url),
        ),
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

fn tcp_answers(address: SocketAddr) -> Result<(), String> {
    let connected = TcpStream::connect_timeout(&address, PATIENCE);
    connected.map(drop).map_err(|error| error.to_string())
}

/// Whether somebody at `address` shakes hands as WebTransport servers do, whatever the certificate.
fn quic_answers(address: SocketAddr) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let greet = async {
        let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone))
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h3".to_vec()];
        let tls = quinn::crypto::rustls::QuicClientConfig::try_from(tls);
        let tls = tls.map_err(|error| error.to_string())?;
        let own: SocketAddr = match address {
            SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
            SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
        };
        let endpoint = quinn::Endpoint::client(own).map_err(|error| error.to_string())?;
        let config = quinn::ClientConfig::new(Arc::new(tls));
        let connecting = endpoint
            .connect_with(config, address, "localhost")
            .map_err(|error| error.to_string())?;
        let connected = tokio::time::timeout(PATIENCE, connecting).await;
        let connection = connected.map_err(|_| "no answer".to_owned())?;
        let connection = connection.map_err(|error| error.to_string())?;
        connection.close(0_u8.into(), b"");
        endpoint.wait_idle().await;
        Ok(())
    };
    runtime.block_on(greet)
}

/// Takes every certificate: only whether there is an answer is of interest.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_networks_of_ones_own_are_not_public() {
        let public = |text: &str| is_public(text.parse().unwrap());
        for own in [
            "10.1.2.3",
            "192.168.1.7",
            "100.64.0.1",
            "127.0.0.1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!public(own), "{own}");
        }
        for all in ["203.0.114.7", "100.128.0.1", "2a00::1"] {
            assert!(public(all), "{all}");
        }
    }
}
