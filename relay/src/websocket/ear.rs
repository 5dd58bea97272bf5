//! Sound to a player over a WebSocket: datagrams (PROTOCOL 9), though all that is written arrives.
//!
//! QMux writes datagrams before streams. What is written already goes first, whatever it is: TCP has one order. As no
//! more is on its way than the path carries without a queue, that is a matter of milliseconds, and a stream of its own
//! would not make it less; but as datagrams, frames can be left out where they would come too late.

use bytes::Bytes;
use qmux::Session;
use steadycast_codec_glue::wire::SoundPacket;
use web_transport_trait::Session as _;

use super::acks::Acks;
use super::flow::Flow;
use crate::delivery::{Place, Sounder, Wait, repeating};

/// Frames that may wait in QMux.
const FEW: u64 = 3;
/// Sound may be on its way beyond what the path carries without a queue, as far as this: more would be late.
const BEYOND: u64 = 4 << 10;

/// A frame of sound as datagrams: by itself, and with the one before it for those who have waited. All players share them.
pub(crate) struct Datagrams([Bytes; 2]);

/// What makes datagrams of frames.
#[derive(Default)]
pub(crate) struct Encoder;

impl Sounder for Encoder {
    type Sound = Datagrams;

    fn sound(&mut self, packet: &SoundPacket) -> Datagrams {
        Datagrams([0, 1].map(|most| repeating(packet, most)))
    }
}

/// A player's ear.
#[derive(Debug, Default)]
pub(super) struct Ear {
    wait: Wait,
    /// Datagrams that QMux was given.
    given: u64,
}

impl Ear {
    /// Sends a frame, unless those before it still wait. Whether it could.
    pub(super) fn hear(
        &mut self,
        session: &Session,
        flow: &Flow,
        (Datagrams(of), place): (&Datagrams, Place),
    ) -> bool {
        // Nothing is lost on the way, so nothing is repeated for that.
        let Some(repeats) = self.wait.turn(place, 0) else {
            return true;
        };
        self.has_room(flow) && self.send(session, of[usize::from(repeats.min(1))].clone())
    }

    /// Sends bytes that mean nothing. Whether it could.
    pub(super) fn fill(&mut self, session: &Session, bytes: &'static [u8]) -> bool {
        self.send(session, Bytes::from_static(bytes))
    }

    fn send(&mut self, session: &Session, datagram: Bytes) -> bool {
        let sent = session.send_datagram(datagram).is_ok();
        self.given += u64::from(sent);
        sent
    }

    fn has_room(&self, flow: &Flow) -> bool {
        flow.read(|acks| {
            let window = acks.window();
            self.waiting(acks) < FEW && acks.in_flight() < window + BEYOND
        })
    }

    /// Datagrams that wait in QMux.
    pub(super) fn waiting(&self, acks: &Acks) -> u64 {
        self.given.saturating_sub(acks.datagrams())
    }
}
