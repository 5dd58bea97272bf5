//! What a publisher's congestion control is told: when each of its packets arrived
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rtc_rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, StatusVectorChunk,
    SymbolSizeTypeTcc, SymbolTypeTcc, TransportLayerCc,
};

use super::unwrapped;

/// How often it is told. libwebrtc tells every 50 to 250 ms, the more often the more there is.
const EVERY: Duration = Duration::from_millis(50);
/// How long arrivals are remembered, for packets that come later than those after them.
const MEMORY: Duration = Duration::from_millis(500);
/// Arrivals that one message tells of at most, so that it fits into a packet.
const ARRIVALS: usize = 256;
/// Numbers that one message is about at most. A larger gap is no loss, but a sender that counts anew.
const PACKETS: u64 = 2_048;
/// Arrivals that are remembered at most, however fast they come: the oldest make way.
const REMEMBERED: usize = 1_024;
/// The unit of times, in microseconds, and how many of them make one of the reference time.
const TICK: u128 = 250;
const REFERENCE: i64 = 256;
/// Symbols of two bits that one status vector holds.
const VECTOR: usize = 7;

/// Arrivals of packets by their transport-wide number.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// By unwrapped number, in ticks since the session began.
    arrived: BTreeMap<u64, i64>,
    newest: Option<u64>,
    /// The first number of which nothing was said.
    next: u64,
    messages: u8,
    due: Option<Instant>,
}

impl Arrivals {
    /// A packet has arrived, `at` after the session began. Repetitions say nothing new.
    pub(super) fn take(&mut self, sequence: u16, at: Duration) {
        let number = unwrapped(self.newest, sequence);
        if self
            .newest
            .is_none_or(|newest| number.abs_diff(newest) > PACKETS)
        {
            self.arrived.clear();
            (self.newest, self.next) = (Some(number), number);
        }
        if self.arrived.len() >= REMEMBERED {
            self.arrived.pop_first();
        }
        self.newest = self.newest.max(Some(number));
        let ticks = (at.as_micros() / TICK) as i64;
        self.arrived.entry(number).or_insert(ticks);
        // It was said to be missing.
        self.next = self.next.min(number);
    }

    /// What is to be said of `media` now, where it is time.
    pub(super) fn messages(
        &mut self,
        sender: u32,
        media: u32,
        now: Instant,
    ) -> Vec<TransportLayerCc> {
        if self.due.is_some_and(|due| now < due) || self.arrived.range(self.next..).next().is_none()
        {
            return Vec::new();
        }
        self.due = Some(now + EVERY);
        let mut messages = Vec::new();
        while let Some(message) = self.message(sender, media) {
            messages.push(message);
        }
        self.forget();
        messages
    }

    fn message(&mut self, sender_ssrc: u32, media_ssrc: u32) -> Option<TransportLayerCc> {
        let base = self.next;
        let said = self.arrived.range(base..base + PACKETS).take(ARRIVALS);
        let (&last, _) = said.clone().last()?;
        let (_, &first) = said.clone().next()?;
        let reference = first.div_euclid(REFERENCE);
        let mut at = reference * REFERENCE;
        let mut symbols = vec![SymbolTypeTcc::PacketNotReceived; (last - base + 1) as usize];
        let mut recv_deltas = Vec::new();
        for (&number, &ticks) in said {
            let delta = ticks - at;
            let Ok(short) = i16::try_from(delta) else {
                // Later or earlier by more than 8 s: another message's.
                symbols.truncate((number - base) as usize);
                break;
            };
            at = ticks;
            let symbol = match u8::try_from(short) {
                Ok(_) => SymbolTypeTcc::PacketReceivedSmallDelta,
                Err(_) => SymbolTypeTcc::PacketReceivedLargeDelta,
            };
            symbols[(number - base) as usize] = symbol;
            recv_deltas.push(RecvDelta {
                type_tcc_packet: symbol,
                delta: delta * TICK as i64,
            });
        }
        self.next = base + symbols.len() as u64;
        self.messages = self.messages.wrapping_add(1);
        Some(TransportLayerCc {
            sender_ssrc,
            media_ssrc,
            base_sequence_number: base as u16,
            packet_status_count: symbols.len() as u16,
            // 24 bits of it.
            reference_time: (reference as u32) & 0x00ff_ffff,
            fb_pkt_count: self.messages.wrapping_sub(1),
            packet_chunks: chunks(&symbols),
            recv_deltas,
        })
    }

    /// Lets go of what no packet can come before any more.
    fn forget(&mut self) {
        let newest = self.arrived.values().max().copied().unwrap_or_default();
        let oldest = newest - (MEMORY.as_micros() / TICK) as i64;
        while let Some(first) = self.arrived.first_entry()
            && (*first.get() < oldest || *first.key() + PACKETS < self.next)
        {
            first.remove();
        }
    }
}

/// Packs symbols: runs where there are some, else seven at a time.
fn chunks(mut symbols: &[SymbolTypeTcc]) -> Vec<PacketStatusChunk> {
    let mut chunks = Vec::new();
    while let Some(first) = symbols.first() {
        let run = symbols.iter().take_while(|symbol| *symbol == first).count();
        let taken = if run >= VECTOR || run == symbols.len() {
            chunks.push(PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                type_tcc: StatusChunkTypeTcc::RunLengthChunk,
                packet_status_symbol: *first,
                run_length: run as u16,
            }));
            run
        } else {
            let taken = symbols.len().min(VECTOR);
            chunks.push(PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
                type_tcc: StatusChunkTypeTcc::StatusVectorChunk,
                symbol_size: SymbolSizeTypeTcc::TwoBit,
                symbol_list: symbols[..taken].to_vec(),
            }));
            taken
        };
        symbols = &symbols[taken..];
    }
    chunks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rtc_rtcp::packet::{marshal, unmarshal};

    use super::*;
    use crate::path::Received;
    use crate::webrtc::arrivals::arrivals;

    const MS: Duration = Duration::from_millis(1);

    /// What a sender reads in the messages that are due now.
    fn heard(known: &mut Arrivals, now: Instant) -> Vec<Received> {
        let mut heard = Vec::new();
        for message in known.messages(1, 2, now) {
            let bytes = marshal(&[Box::new(message)]).unwrap();
            let packets = unmarshal(&mut &bytes[..]).unwrap();
            let read = packets[0].as_any().downcast_ref().unwrap();
            heard.extend(arrivals(read));
        }
        heard
    }

    fn at(sequence: u16, millis: u64) -> Received {
        Received {
            sequence,
            at: Some(Duration::from_millis(millis)),
        }
    }

    fn missing(sequence: u16) -> Received {
        Received { sequence, at: None }
    }

    #[test]
    fn a_sender_reads_what_came_and_what_did_not() {
        let (mut known, now) = (Arrivals::default(), Instant::now());
        for (sequence, millis) in [(65_534, 100), (65_535, 101), (1, 400), (2, 401)] {
            known.take(sequence, MS * millis);
        }
        let expected = [
            at(65_534, 100),
            at(65_535, 101),
            missing(0),
            at(1, 400),
            at(2, 401),
        ];
        assert_eq!(heard(&mut known, now), expected);
        assert_eq!(heard(&mut known, now + EVERY), [], "nothing new has come");
        known.take(3, MS * 450);
        assert_eq!(heard(&mut known, now + EVERY / 2), [], "not yet");
        assert_eq!(heard(&mut known, now + EVERY), [at(3, 450)]);
    }

    #[test]
    fn a_packet_that_was_said_to_be_missing_is_taken_back() {
        let (mut known, now) = (Arrivals::default(), Instant::now());
        known.take(10, MS * 100);
        known.take(12, MS * 101);
        assert_eq!(
            heard(&mut known, now),
            [at(10, 100), missing(11), at(12, 101)]
        );
        known.take(11, MS * 130);
        assert_eq!(
            heard(&mut known, now + EVERY),
            [at(11, 130), at(12, 101)],
            "it came after all"
        );
    }

    #[test]
    fn a_sender_that_counts_anew_has_lost_nothing() {
        let (mut known, mut now) = (Arrivals::default(), Instant::now());
        known.take(10, MS * 100);
        heard(&mut known, now);
        for sequence in [20_000, 7] {
            now += EVERY;
            known.take(sequence, MS * 200);
            assert_eq!(heard(&mut known, now), [at(sequence, 200)]);
        }
    }

    #[test]
    fn of_a_fast_sender_every_packet_is_told() {
        let (mut known, mut now) = (Arrivals::default(), Instant::now());
        let mut said = Vec::new();
        for sequence in 0..5_000u16 {
            known.take(sequence, MS * u32::from(sequence / 5));
            now += MS / 5;
            said.extend(heard(&mut known, now));
        }
        let told = |sequence: u16, one: &Received| one.sequence == sequence && one.at.is_some();
        assert!(said.len() > 4_700, "{}", said.len());
        let mut all = said.iter().enumerate();
        assert!(all.all(|(at, one)| told(at as u16, one)));
    }

    #[test]
    fn a_pause_longer_than_a_delta_says_is_no_loss() {
        let (mut known, now) = (Arrivals::default(), Instant::now());
        known.take(1, MS * 100);
        known.take(2, MS * 20_100);
        assert_eq!(heard(&mut known, now), [at(1, 100), at(2, 20_100)]);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_said_once_and_little_is_kept(
            packets in proptest::collection::vec((any::<u16>(), 0u64..3_000), 1..400),
            near in any::<bool>(),
        ) {
            let (mut known, mut now) = (Arrivals::default(), Instant::now());
            let (mut sequence, mut time) = (0u16, 0u64);
            for (step, millis) in packets {
                sequence = sequence.wrapping_add(if near { step % 4 } else { step });
                time += millis % 40;
                known.take(sequence, MS * time as u32);
                now += MS * (millis % 40) as u32;
                let said = heard(&mut known, now);
                if let Some(own) = said.iter().rfind(|one| one.sequence == sequence) {
                    prop_assert!(own.at.is_some());
                }
                prop_assert!(known.arrived.len() <= REMEMBERED);
            }
        }
    }
}
