//! Which packets have arrived, and when: transport-wide feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1).

use std::time::Duration;

use rtc_rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
};

use crate::path::Received;

/// Packets that one message may be about; it could claim to be about many more than there are.
const PACKETS: usize = 2_048;
/// The unit of a message's reference time.
const REFERENCE: i64 = 64_000;

/// The packets that a message is about, in the order of their numbers.
pub(in crate::webrtc) fn arrivals(feedback: &TransportLayerCc) -> Vec<Received> {
    let most = usize::from(feedback.packet_status_count).min(PACKETS);
    let mut at = i64::from(feedback.reference_time) * REFERENCE;
    let mut deltas = feedback.recv_deltas.iter();
    let received = |(index, symbol): (usize, SymbolTypeTcc)| {
        let arrived = match symbol {
            SymbolTypeTcc::PacketReceivedSmallDelta | SymbolTypeTcc::PacketReceivedLargeDelta => {
                at += deltas.next().map_or(0, |delta| delta.delta);
                u64::try_from(at).ok().map(Duration::from_micros)
            }
            SymbolTypeTcc::PacketNotReceived | SymbolTypeTcc::PacketReceivedWithoutDelta => None,
        };
        Received {
            sequence: feedback.base_sequence_number.wrapping_add(index as u16),
            at: arrived,
        }
    };
    let symbols = feedback.packet_chunks.iter().flat_map(symbols);
    symbols.take(most).enumerate().map(received).collect()
}

fn symbols(chunk: &PacketStatusChunk) -> Vec<SymbolTypeTcc> {
    match chunk {
        PacketStatusChunk::RunLengthChunk(run) => {
            let length = usize::from(run.run_length).min(PACKETS);
            vec![run.packet_status_symbol; length]
        }
        PacketStatusChunk::StatusVectorChunk(vector) => vector.symbol_list.clone(),
    }
}

#[cfg(test)]
mod tests {
    use rtc_rtcp::transport_feedbacks::transport_layer_cc::{
        RecvDelta, RunLengthChunk, StatusChunkTypeTcc,
    };

    use super::*;

    fn run(packet_status_symbol: SymbolTypeTcc, run_length: u16) -> PacketStatusChunk {
        PacketStatusChunk::RunLengthChunk(RunLengthChunk {
            type_tcc: StatusChunkTypeTcc::RunLengthChunk,
            packet_status_symbol,
            run_length,
        })
    }

    fn delta(delta: i64) -> RecvDelta {
        RecvDelta {
            type_tcc_packet: SymbolTypeTcc::PacketReceivedSmallDelta,
            delta,
        }
    }

    #[test]
    fn times_add_up_from_the_reference_and_numbers_wrap() {
        let feedback = TransportLayerCc {
            base_sequence_number: 65_535,
            packet_status_count: 3,
            reference_time: 2,
            packet_chunks: vec![
                run(SymbolTypeTcc::PacketReceivedSmallDelta, 1),
                run(SymbolTypeTcc::PacketNotReceived, 1),
                run(SymbolTypeTcc::PacketReceivedSmallDelta, 7),
            ],
            recv_deltas: vec![delta(1_000), delta(250)],
            ..TransportLayerCc::default()
        };
        let at = |micros| Some(Duration::from_micros(micros));
        let packet = |sequence, at| Received { sequence, at };
        assert_eq!(
            arrivals(&feedback),
            [
                packet(65_535, at(129_000)),
                packet(0, None),
                packet(1, at(129_250))
            ]
        );
    }

    #[test]
    fn a_message_about_more_packets_than_there_can_be_is_cut() {
        let feedback = TransportLayerCc {
            packet_status_count: u16::MAX,
            packet_chunks: vec![run(SymbolTypeTcc::PacketNotReceived, 8_191); 8],
            ..TransportLayerCc::default()
        };
        assert_eq!(arrivals(&feedback).len(), PACKETS);
    }
}
