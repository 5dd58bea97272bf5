//! When packets arrived, as a browser tells it: transport-wide feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use std::time::{Duration, Instant};

use rtc_rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, SymbolTypeTcc,
    TransportLayerCc,
};

/// How often it is told, while packets come.
const INTERVAL: Duration = Duration::from_millis(100);
/// Units of the reference time, and of what is added to it, in microseconds.
const REFERENCE: i64 = 64_000;
const DELTA: i64 = 250;
/// The most that one message is about.
const PACKETS: u16 = 1_024;

/// What has arrived since it was told last.
pub(super) struct Arrivals {
    began: Instant,
    /// The number after the last that was told of.
    next: Option<u16>,
    came: Vec<(u16, Instant)>,
    count: u8,
    due: Instant,
}

impl Arrivals {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            next: None,
            came: Vec::new(),
            count: 0,
            due: now,
        }
    }

    /// A packet with this transport-wide number has arrived.
    pub(super) fn take(&mut self, sequence: u16, now: Instant) {
        let next = *self.next.get_or_insert(sequence);
        if self.came.is_empty() {
            self.due = self.due.max(now);
        }
        // One that comes after its loss was told of is of no use to anybody.
        if sequence.wrapping_sub(next) < PACKETS {
            self.came.push((sequence, now));
        }
    }

    /// When there is something to tell.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.came.is_empty()).then_some(self.due)
    }

    /// What there is to tell; nothing before it is due.
    pub(super) fn poll(
        &mut self,
        sender: u32,
        media: u32,
        now: Instant,
    ) -> Option<TransportLayerCc> {
        let base = self
            .next
            .filter(|_| self.due().is_some_and(|due| due <= now))?;
        self.due = now + INTERVAL;
        let mut came = std::mem::take(&mut self.came);
        came.sort_by_key(|(sequence, _)| sequence.wrapping_sub(base));
        came.dedup_by_key(|(sequence, _)| *sequence);
        let last = came.last()?.0;
        self.next = Some(last.wrapping_add(1));
        self.count = self.count.wrapping_add(1);
        let micros = |at: Instant| at.duration_since(self.began).as_micros() as i64;
        let reference = came.iter().map(|(_, at)| micros(*at)).min()? / REFERENCE;
        let mut feedback = TransportLayerCc {
            sender_ssrc: sender,
            media_ssrc: media,
            base_sequence_number: base,
            packet_status_count: last.wrapping_sub(base) + 1,
            reference_time: reference as u32 & 0x00ff_ffff,
            fb_pkt_count: self.count,
            ..TransportLayerCc::default()
        };
        let (mut next, mut units) = (base, reference * REFERENCE / DELTA);
        for (sequence, at) in came {
            append(
                &mut feedback,
                SymbolTypeTcc::PacketNotReceived,
                sequence.wrapping_sub(next),
            );
            let delta = micros(at) / DELTA - units;
            units += delta;
            let symbol = match delta {
                0..=255 => SymbolTypeTcc::PacketReceivedSmallDelta,
                _ => SymbolTypeTcc::PacketReceivedLargeDelta,
            };
            append(&mut feedback, symbol, 1);
            feedback.recv_deltas.push(RecvDelta {
                type_tcc_packet: symbol,
                delta: delta * DELTA,
            });
            next = sequence.wrapping_add(1);
        }
        Some(feedback)
    }
}

/// Appends so many packets of a kind.
fn append(feedback: &mut TransportLayerCc, packet_status_symbol: SymbolTypeTcc, count: u16) {
    if count == 0 {
        return;
    }
    match feedback.packet_chunks.last_mut() {
        Some(PacketStatusChunk::RunLengthChunk(run))
            if run.packet_status_symbol == packet_status_symbol =>
        {
            run.run_length += count;
        }
        _ => feedback
            .packet_chunks
            .push(PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                type_tcc: StatusChunkTypeTcc::RunLengthChunk,
                packet_status_symbol,
                run_length: count,
            })),
    }
}

#[cfg(test)]
mod tests {
    use rtc_shared::marshal::{Marshal as _, Unmarshal as _};

    use super::*;

    #[test]
    fn what_came_and_what_did_not_is_told_once_with_its_times() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut arrivals = Arrivals::new(began);
        for (sequence, ms) in [(65_534, 70), (0, 72), (3, 300), (1, 75)] {
            arrivals.take(sequence, at(ms));
        }
        let told = arrivals.poll(1, 2, at(300)).unwrap();
        let told = TransportLayerCc::unmarshal(&mut told.marshal().unwrap()).unwrap();
        assert_eq!(
            (told.base_sequence_number, told.packet_status_count),
            (65_534, 6)
        );
        let deltas: Vec<_> = told.recv_deltas.iter().map(|delta| delta.delta).collect();
        assert_eq!(told.reference_time, 1);
        assert_eq!(deltas, [6_000, 2_000, 3_000, 225_000]);
        assert!(arrivals.poll(1, 2, at(500)).is_none());
        arrivals.take(4, at(510));
        assert_eq!(
            arrivals.poll(1, 2, at(510)).unwrap().base_sequence_number,
            4
        );
    }
}
