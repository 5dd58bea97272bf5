//! How clients come to the relay.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::Finding;
use crate::config::Config;
use crate::sockets::Sockets;
use crate::tls::interface_addresses;

/// How long anybody has to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What has the relay's port.
pub(super) enum Port {
    /// Nobody: it is taken for as long as this lasts, as the relay would.
    Free(Sockets),
    /// A relay, as far as can be told.
    Relay,
    /// Somebody else; or nobody can have it.
    Lost,
}

/// Whether the port is free, or a relay serves there, over TCP and UDP alike.
pub(super) fn ports(config: &Config) -> (Port, Finding) {
    const ABOUT: &str = "ports";
    let listen = config.server.listen;
    let error = match Sockets::bind(listen, config.relay.shards()) {
        Ok(sockets) => {
            let port = sockets
                .address()
                .map_or(listen.port(), |address| address.port());
            let told = format!("{listen} is free; clients need TCP and UDP to reach port {port}");
            return (Port::Free(sockets), Finding::fine(ABOUT, told));
        }
        Err(error) => error,
    };
    if error.kind() != io::ErrorKind::AddrInUse {
        let remedy = unbindable(error.kind(), listen, "server.listen");
        return (Port::Lost, Finding::wrong(ABOUT, error.to_string(), remedy));
    }
    // Perhaps it is the relay that has it.
    let local = match listen.ip() {
        ip if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], listen.port())),
        ip => (ip, listen.port()).into(),
    };
    if let Err(why) = quic_answers(local) {
        let told = format!("{error}, and no relay answers there ({why})");
        let remedy = unbindable(error.kind(), listen, "server.listen");
        return (Port::Lost, Finding::wrong(ABOUT, told, remedy));
    }
    let told = format!("a relay serves at {local}, over UDP too");
    (Port::Relay, Finding::fine(ABOUT, told))
}

/// What to do about an address that cannot be listened on.
fn unbindable(kind: io::ErrorKind, address: SocketAddr, key: &str) -> String {
    let port = address.port();
    match kind {
        io::ErrorKind::AddrInUse => {
            format!("ss -lptun 'sport = :{port}' says who has it; set {key} to another")
        }
        io::ErrorKind::AddrNotAvailable => {
            let own = list(&interface_addresses());
            format!(
                "set {key} to an address of this host, {own} or 127.0.0.1, or to [::] for all of them"
            )
        }
        io::ErrorKind::PermissionDenied => format!(
            "ports below 1024 take a right: AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or set {key} to a \
             higher port"
        ),
        _ => format!("set {key} to another"),
    }
}

/// Whether there can be figures where the settings have them.
pub(super) fn metrics(config: &Config, port: &Port) -> Option<Finding> {
    const ABOUT: &str = "metrics";
    let address = config.metrics.listen?;
    let bound = TcpListener::bind(address);
    Some(match (bound, port) {
        (Ok(_), Port::Relay) => Finding::better(
            ABOUT,
            format!("{address} is free, although a relay runs"),
            "systemctl restart steadycast: it has other settings",
        ),
        (Ok(_), _) => Finding::fine(ABOUT, format!("{address} is free")),
        // Whose they are is not asked: no key is needed there, and anybody may have them.
        (Err(error), Port::Relay) if error.kind() == io::ErrorKind::AddrInUse => {
            Finding::fine(ABOUT, format!("{address} is taken, and a relay runs"))
        }
        (Err(_), Port::Free(own))
            if own.address().is_ok_and(|own| own.port() == address.port()) =>
        {
            let told = format!("{address} is at the relay's own port");
            let remedy = "set metrics.listen to another port than server.listen";
            Finding::wrong(ABOUT, told, remedy)
        }
        (Err(error), _) => {
            let told = format!("cannot listen on {address}: {error}");
            let remedy = unbindable(error.kind(), address, "metrics.listen");
            Finding::wrong(ABOUT, told, remedy)
        }
    })
}

/// Whether clients that follow the relay's public URL come to this host, as far as can be told from here.
pub(super) fn public_name(config: &Config, port: &Port) -> Vec<Finding> {
    const ABOUT: &str = "public address";
    let Some((host, number)) = super::public(config) else {
        return Vec::new();
    };
    let addresses: Vec<_> = match (host.as_str(), number).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            let told = format!("{host} is nothing that can be found: {error}");
            let remedy = "give the name an address (DNS), or set server.public_url";
            return vec![Finding::wrong(ABOUT, told, remedy)];
        }
    };
    match port {
        Port::Relay => addresses.into_iter().flat_map(outside).collect(),
        Port::Free(_) | Port::Lost => {
            let mut own = interface_addresses();
            own.extend(config.webrtc.addresses.iter().map(|place| place.ip()));
            vec![is_here(&host, number, &addresses, &own)]
        }
    }
}

/// Whether a name stands for `own` addresses.
fn is_here(host: &str, port: u16, addresses: &[SocketAddr], own: &[IpAddr]) -> Finding {
    const ABOUT: &str = "public address";
    let mut ips: Vec<_> = addresses.iter().map(|address| address.ip()).collect();
    ips.dedup();
    let is_own = |ip: &&IpAddr| ip.is_loopback() || own.contains(&ip.to_canonical());
    let others: Vec<_> = ips.iter().filter(|ip| !is_own(ip)).copied().collect();
    if others.is_empty() {
        return Finding::fine(ABOUT, format!("{host} is {}, this host", list(&ips)));
    }
    let told = format!("{host} is {}, which this host does not have", list(&others));
    let remedy = format!(
        "if that is a NAT's address, forward TCP and UDP port {port} to this host and set webrtc.addresses to it; \
         if a proxy's, see to it that UDP comes here; else have the name (DNS) stand for {}",
        list(own)
    );
    Finding::better(ABOUT, told, remedy)
}

/// Whether the relay answers at a public address, as far as can be told from here.
fn outside(address: SocketAddr) -> [Finding; 2] {
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

pub(super) fn tcp_answers(address: SocketAddr) -> Result<(), String> {
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
    use super::super::Verdict;
    use super::*;

    fn config(listen: SocketAddr) -> Config {
        let mut config = Config::defaults(true);
        config.server.listen = listen;
        config
    }

    #[test]
    fn an_address_that_the_host_lacks_is_said_with_those_that_it_has() {
        // Of documentation (RFC 5737): nobody has it.
        let (port, finding) = ports(&config("203.0.113.9:4433".parse().unwrap()));
        assert!(matches!(port, Port::Lost));
        assert_eq!(finding.verdict, Verdict::Wrong);
        let remedy = finding.remedy.unwrap();
        assert!(
            remedy.contains("set server.listen to an address of this host"),
            "{remedy}"
        );
    }

    #[test]
    fn figures_need_an_address_of_their_own() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = config("127.0.0.1:0".parse().unwrap());
        assert_eq!(metrics(&config, &Port::Lost), None);
        config.metrics.listen = Some(taken.local_addr().unwrap());
        let judged = |config: &Config, port: &Port| metrics(config, port).unwrap();
        let finding = judged(&config, &Port::Lost);
        assert_eq!(finding.verdict, Verdict::Wrong);
        assert!(finding.remedy.unwrap().contains("metrics.listen"));
        assert_eq!(judged(&config, &Port::Relay).verdict, Verdict::Fine);
        drop(taken);
        assert_eq!(judged(&config, &Port::Lost).verdict, Verdict::Fine);
        assert_eq!(judged(&config, &Port::Relay).verdict, Verdict::Better);
        config.metrics.listen = Some("203.0.113.9:9090".parse().unwrap());
        assert_eq!(judged(&config, &Port::Lost).verdict, Verdict::Wrong);
        // Nor is the relay's own port free for them.
        let (port, _) = ports(&config);
        let Port::Free(sockets) = &port else {
            panic!("any port is")
        };
        config.metrics.listen = Some(sockets.address().unwrap());
        let finding = judged(&config, &port);
        assert_eq!(finding.verdict, Verdict::Wrong);
        assert!(finding.text.contains("own port"), "{}", finding.text);
    }

    #[test]
    fn a_public_name_stands_for_this_host_or_for_something_before_it() {
        let judged = |addresses: &[&str]| {
            let ip = |text: &&str| SocketAddr::new(text.parse().unwrap(), 443);
            let addresses: Vec<_> = addresses.iter().map(ip).collect();
            let own = [
                "198.51.100.7".parse().unwrap(),
                "2001:db8::7".parse().unwrap(),
            ];
            is_here("share.example", 443, &addresses, &own)
        };
        for own in [&["198.51.100.7", "2001:db8::7"][..], &["127.0.0.1"]] {
            assert_eq!(judged(own).verdict, Verdict::Fine, "{own:?}");
        }
        let finding = judged(&["198.51.100.7", "2001:db8::8"]);
        assert_eq!(finding.verdict, Verdict::Better);
        assert!(
            finding.text.contains("is 2001:db8::8, which"),
            "{}",
            finding.text
        );
        assert!(
            finding
                .remedy
                .unwrap()
                .contains("198.51.100.7, 2001:db8::7")
        );
        let mut config = config("127.0.0.1:0".parse().unwrap());
        assert_eq!(public_name(&config, &Port::Lost), []);
        config.server.public_url = Some("https://nobody.invalid".parse().unwrap());
        let findings = public_name(&config, &Port::Lost);
        assert_eq!(findings[0].verdict, Verdict::Wrong);
    }

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
