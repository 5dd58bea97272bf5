//! The relay's namespace, the players' namespaces, and a device into each.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::netns::{self, Namespace};
use super::tunnel::Tunnel;

/// An address in the lab, from the range for measurements (RFC 2544, C.2.2).
pub type Address = Ipv4Addr;

/// Namespaces with a device each. Dropping it removes them, and ends what runs in them.
pub struct World {
    relay: Namespace,
    players: Vec<Namespace>,
    pub(super) tunnels: Arc<Tunnels>,
}

/// A device for the relay, and one for each namespace of players.
pub(super) struct Tunnels {
    pub(super) relay: Tunnel,
    pub(super) players: Vec<Tunnel>,
}

/// Namespaces of players: an address names them by its third number.
const MOST: usize = 250;

impl World {
    /// A relay's namespace and so many of players.
    ///
    /// # Errors
    /// When they may not be made: see [`obstacle`].
    pub fn create(players: usize) -> Result<Self> {
        ensure!(
            players <= MOST,
            "at most {MOST} namespaces of players, not {players}"
        );
        netns::remove_leftovers();
        let relay = Namespace::create("relay")?;
        let tunnel = Tunnel::into(&relay, Self::relay_address())?;
        let namespaces = (0..players)
            .map(|_| Namespace::create("player"))
            .collect::<Result<Vec<_>>>()?;
        let tunnels = namespaces
            .iter()
            .enumerate()
            .map(|(at, namespace)| Tunnel::into(namespace, Self::player_address(at)));
        let tunnels = Tunnels {
            relay: tunnel,
            players: tunnels.collect::<Result<_>>()?,
        };
        Ok(Self {
            relay,
            players: namespaces,
            tunnels: Arc::new(tunnels),
        })
    }

    /// Where the relay is.
    pub fn relay_address() -> Address {
        Ipv4Addr::new(198, 18, 0, 1)
    }

    /// Where the namespace of players of this number is.
    pub fn player_address(number: usize) -> Address {
        Ipv4Addr::new(198, 18, number as u8 + 1, 2)
    }

    /// Whose namespace this address is in.
    pub(super) fn player_at(address: Address) -> Option<usize> {
        let [198, 18, number, 2] = address.octets() else {
            return None;
        };
        usize::from(number).checked_sub(1)
    }

    /// The relay's side, where nothing is lost.
    pub fn relay(&self) -> &Namespace {
        &self.relay
    }

    /// The players' namespaces.
    pub fn players(&self) -> &[Namespace] {
        &self.players
    }

    /// Packets that the lab has lost by itself, which make a run void.
    pub(super) fn lost(&self) -> Result<u64> {
        let mut lost = self.tunnels.relay.lost(&self.relay)?;
        for (tunnel, namespace) in self.tunnels.players.iter().zip(&self.players) {
            lost += tunnel.lost(namespace)?;
        }
        Ok(lost)
    }
}

/// Why there can be no lab on this machine, if so.
pub fn obstacle() -> Option<String> {
    let tried = || {
        ensure!(
            Path::new("/dev/net/tun").exists(),
            "there is no /dev/net/tun"
        );
        let namespace = Namespace::create("try")?;
        Tunnel::into(&namespace, World::relay_address())?;
        namespace.within(|| Ok(()))
    };
    let tried: Result<()> = tried().context("the network lab needs root, TUN and iproute2");
    tried.err().map(|error| format!("{error:#}"))
}
