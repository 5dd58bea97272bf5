//! Links to the pages (PROTOCOL 6.2): a token is in the fragment, which no server ever sees.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::HOST;
use axum::http::request::Parts;

use super::listener::Peer;
use super::problem::Problem;
use super::site::Site;
use crate::auth::{Origin, PublicUrl, Token};
use crate::tls::interface_addresses;

/// A host may have a lot of interfaces.
const NETWORK: usize = 8;

/// Makes links to the pages at one address of the relay.
#[derive(Debug, Clone)]
pub struct Links {
    base: PublicUrl,
    /// Where other machines reach the relay, if `base` is good on this one alone.
    network: Vec<PublicUrl>,
}

impl Links {
    /// Links that begin with `base`.
    pub fn at(base: PublicUrl) -> Self {
        Self {
            base,
            network: Vec::new(),
        }
    }

    /// The admin's panel.
    pub fn admin(&self, token: &Token) -> String {
        format!("{}{}", self.base, to_page("admin", token))
    }

    /// The player.
    pub fn player(&self, token: &Token) -> String {
        format!("{}{}", self.base, to_page("play", token))
    }

    /// The player for other machines of this one's network; none where [`player`](Self::player) is good there, or
    /// nothing is.
    pub fn player_in_network(&self, token: &Token) -> Vec<String> {
        let page = to_page("play", token);
        let links = self.network.iter().map(|base| format!("{base}{page}"));
        links.collect()
    }
}

/// The path and the fragment of a page that is opened with this token.
pub(crate) fn to_page(page: &str, token: &Token) -> String {
    // A token's letters are good in a fragment as they are.
    format!("/{page}#token={}", token.as_str())
}

/// The token in what somebody has pasted: a link, its fragment, or the token alone. Links up to 0.1 have nothing but
/// the token in their fragment.
pub(crate) fn token_in(pasted: &str) -> &str {
    let pasted = pasted.trim();
    let fragment = pasted.split_once('#').map_or(pasted, |(_, rest)| rest);
    if !fragment.contains('=') {
        return fragment;
    }
    let mut parts = fragment.split('&');
    let token = parts.find_map(|part| part.strip_prefix("token="));
    token.unwrap_or_default()
}

impl FromRequestParts<Arc<Site>> for Links {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        if let Some(public_url) = &site.public_url {
            return Ok(Self::at(public_url.clone()));
        }
        let secure = parts.extensions.get::<Peer>().is_some_and(|peer| peer.tls);
        let origin = authority(parts).and_then(|host| Origin::of_authority(host, secure).ok());
        let origin = origin
            .ok_or_else(|| Problem::malformed("the Host header is missing or makes no sense"))?;
        let network = match origin.is_local() {
            true => network_of(site.listens),
            false => Vec::new(),
        };
        Ok(Self {
            base: origin.into(),
            network,
        })
    }
}

/// Where other machines may reach a relay that listens there: always under HTTPS, which browsers want of a page that
/// is not on their own machine.
fn network_of(listens: SocketAddr) -> Vec<PublicUrl> {
    if !listens.ip().is_unspecified() {
        return Vec::new();
    }
    let addresses = interface_addresses().into_iter();
    addresses
        .filter(|ip| ip.is_ipv4() || listens.is_ipv6())
        .take(NETWORK)
        .filter_map(|ip| {
            let url = format!("https://{}", SocketAddr::new(ip, listens.port()));
            url.parse().ok()
        })
        .collect()
}

/// The host that was asked for: HTTP/2 has it in the request line, HTTP/1.1 in a header.
fn authority(parts: &Parts) -> Option<&str> {
    match parts.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => parts.headers.get(HOST)?.to_str().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::token_in;

    #[test]
    fn a_token_is_found_in_links_of_now_and_of_before() {
        for pasted in [
            "aa.b-b.c_c",
            "token=aa.b-b.c_c",
            "#aa.b-b.c_c",
            " https://relay.example/play#aa.b-b.c_c\n",
            "https://relay.example/play#token=aa.b-b.c_c",
            "https://relay.example/play?x=1#key=k&token=aa.b-b.c_c&more=",
        ] {
            assert_eq!(token_in(pasted), "aa.b-b.c_c", "{pasted}");
        }
        for pasted in ["", "https://relay.example/play#broadcast=main"] {
            assert_eq!(token_in(pasted), "", "{pasted}");
        }
    }
}
