//! A publisher, a relay and what is between them, without a clock.

use std::collections::HashSet;
use std::time::Duration;

use steadycast_codec_glue::bitstream::Codec;
use steadycast_codec_glue::rtp::{
    Assembled, Assembler, Ordered, Packet, Reorder, ReorderConfig, RtpError,
};

use crate::frames::Frame;

const TICK: Duration = Duration::from_millis(1);
/// Between one frame and the next, in the clock of RTP.
const INTERVAL: u32 = 3000;

pub(crate) fn timestamp(frame: usize) -> u32 {
    (frame as u32).wrapping_mul(INTERVAL).wrapping_sub(INTERVAL)
}

/// The packets of a stream, a tick apart.
pub(crate) fn packets(frames: &[Frame], max_payload: usize, first: u16) -> Vec<Packet> {
    let mut packets = Vec::new();
    for (number, frame) in frames.iter().enumerate() {
        let payloads = frame.packetize(max_payload).unwrap();
        for (index, payload) in payloads.iter().enumerate() {
            let mut payload = payload.to_vec();
            let id = (0x7ffe + number as u16) & 0x7fff;
            payloads.numbering().write(&mut payload, id, number as u8);
            packets.push(Packet {
                sequence: first.wrapping_add(packets.len() as u16),
                timestamp: timestamp(number),
                marker: index + 1 == payloads.len(),
                payload: payload.into(),
                arrival: TICK * packets.len() as u32,
            });
        }
    }
    packets
}

pub(crate) struct Relay {
    reorder: Reorder,
    assembler: Assembler,
    now: Duration,
    pub(crate) frames: Vec<Assembled>,
    pub(crate) errors: Vec<RtpError>,
    pub(crate) losses: usize,
}

impl Relay {
    pub(crate) fn new(codec: Codec) -> Self {
        let config = ReorderConfig {
            ask_after: 3 * TICK,
            ask_every: 5 * TICK,
            asks: 4,
            patience: 40 * TICK,
            ..ReorderConfig::default()
        };
        Self {
            reorder: Reorder::new(config),
            assembler: Assembler::new(codec),
            now: Duration::ZERO,
            frames: Vec::new(),
            errors: Vec::new(),
            losses: 0,
        }
    }

    /// Packets that arrive one after the other.
    pub(crate) fn receive(&mut self, packets: impl IntoIterator<Item = Packet>) {
        for packet in packets {
            let arrival = self.now;
            self.reorder.push(Packet { arrival, ..packet });
            self.pass_on();
            self.now += TICK;
        }
    }

    /// Time goes by and nothing comes, until there is nothing to wait for.
    pub(crate) fn wait(&mut self) {
        while let Some(deadline) = self.reorder.deadline() {
            self.now = self.now.max(deadline);
            self.reorder.asks(self.now);
            self.pass_on();
        }
    }

    pub(crate) fn asks(&mut self) -> HashSet<u16> {
        self.reorder.asks(self.now).into_iter().collect()
    }

    fn pass_on(&mut self) {
        while let Some(ordered) = self.reorder.pop(self.now) {
            match ordered {
                Ordered::Packet(packet) => {
                    for frame in self.assembler.push(&packet) {
                        match frame {
                            Ok(frame) => self.frames.push(frame),
                            Err(error) => self.errors.push(error),
                        }
                    }
                }
                Ordered::Lost { .. } | Ordered::Restarted => {
                    self.losses += 1;
                    self.assembler.lost();
                }
            }
        }
    }
}
