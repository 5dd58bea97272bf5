//! Where clients come from that a proxy has sent on.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

use super::listener::Peer;
use super::site::Site;

const CLIENTS: &str = "x-forwarded-for";
const SCHEME: &str = "x-forwarded-proto";

/// Networks of proxies whose word on clients is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies(Arc<[IpNet]>);

impl Proxies {
    /// These networks'.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into())
    }

    /// Whether somebody at this address is one.
    pub fn know(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|network| network.contains(&ip))
    }

    /// The client's address as the proxies say: each adds who came to it, so that the last that is no proxy is
    /// the one. What stands before that, the client may have made up.
    fn client(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let listed = headers.get_all(CLIENTS).into_iter();
        // What is no text is a client's own doing, and hides nobody who stands behind it.
        let texts = listed.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let listed: Vec<_> = texts.collect();
        let mut client = None;
        for text in listed.iter().rev().flat_map(|value| value.rsplit(',')) {
            let Some(ip) = address(text.trim()) else {
                break;
            };
            client = Some(ip);
            if !self.know(ip) {
                break;
            }
        }
        client
    }
}

/// An address, some proxies write a port behind it.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let ip = bare.parse().ok();
    ip.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
        .map(|ip: IpAddr| ip.to_canonical())
}

/// Puts the client in the place of its proxy.
pub(super) async fn clients(
    State(site): State<Arc<Site>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    if let Some(peer) = peer.filter(|peer| site.proxies.know(peer.address.ip()))
        && let Some(client) = site.proxies.client(request.headers())
    {
        let scheme = request.headers().get(SCHEME);
        let tls = scheme.map_or(peer.tls, |scheme| scheme == "https");
        request.extensions_mut().insert(Peer {
            address: (client, 0).into(),
            came_to: None,
            tls,
        });
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_last_that_is_no_proxy_is_the_client() {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap());
        let proxies = Proxies::new(networks.to_vec());
        assert!(proxies.know("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!proxies.know("11.1.2.3".parse().unwrap()));
        let client = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
                headers.append(CLIENTS, value);
            }
            proxies.client(&headers).map(|ip| ip.to_string())
        };
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(client(&["192.0.2.7"]), is("192.0.2.7"));
        assert_eq!(
            client(&["6.6.6.6, 192.0.2.7"]),
            is("192.0.2.7"),
            "made up before"
        );
        assert_eq!(client(&["192.0.2.7, 10.0.0.2, fd00::3"]), is("192.0.2.7"));
        assert_eq!(client(&["6.6.6.6, 192.0.2.7", "10.0.0.2"]), is("192.0.2.7"));
        assert_eq!(client(&["[2001:db8::1]:4000"]), is("2001:db8::1"));
        assert_eq!(client(&["192.0.2.7:4000"]), is("192.0.2.7"));
        assert_eq!(client(&["10.0.0.9"]), is("10.0.0.9"), "within the network");
        assert_eq!(client(&["6.6.6.6, unknown"]), None);
        assert_eq!(client(&["\u{fc}, 192.0.2.7"]), is("192.0.2.7"));
        assert_eq!(client(&[]), None);
    }
}
