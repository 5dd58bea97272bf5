//! Packets to one address that leave in one system call.

/// Packets of one size, and perhaps a last shorter one: what the system cuts apart again (GSO).
#[derive(Debug, Default)]
pub(in crate::webrtc) struct Datagrams {
    bytes: Vec<u8>,
    /// Where each row of packets of one size ends, and that size.
    rows: Vec<(usize, usize)>,
    /// The last row has had its shorter packet.
    closed: bool,
}

impl Datagrams {
    /// Bytes of all packets.
    pub(in crate::webrtc) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(in crate::webrtc) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(in crate::webrtc) fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
        self.closed = false;
    }

    /// The last so many bytes.
    pub(in crate::webrtc) fn last(&self, bytes: usize) -> &[u8] {
        let begin = self.bytes.len().saturating_sub(bytes);
        &self.bytes[begin..]
    }

    /// Forgets the first `sent` bytes, which are whole packets.
    pub(in crate::webrtc) fn drop_first(&mut self, sent: usize) {
        self.bytes.drain(..sent);
        self.rows.retain_mut(|(end, _)| {
            *end = end.saturating_sub(sent);
            *end > 0
        });
    }

    /// Appends a packet.
    pub(in crate::webrtc) fn push(&mut self, packet: &[u8]) {
        self.bytes.extend_from_slice(packet);
        self.end(packet.len());
    }

    /// Appends a packet that `write` appends to what is there already; nothing when that fails.
    pub(in crate::webrtc) fn push_with<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let begin = self.bytes.len();
        let written = write(&mut self.bytes);
        match &written {
            Ok(()) => self.end(self.bytes.len() - begin),
            Err(_) => self.bytes.truncate(begin),
        }
        written
    }

    /// Ends a packet of so many bytes.
    fn end(&mut self, packet: usize) {
        let end = self.bytes.len();
        match self.rows.last_mut() {
            Some((last, size)) if !self.closed && packet <= *size => {
                self.closed = packet < *size;
                *last = end;
            }
            _ => {
                self.rows.push((end, packet));
                self.closed = false;
            }
        }
    }

    /// What goes into one call each, `most` bytes of a packet size at most: the packets, and the size.
    pub(in crate::webrtc) fn calls(
        &self,
        most: impl Fn(usize) -> usize,
    ) -> impl Iterator<Item = (&[u8], usize)> {
        let begins = std::iter::once(0).chain(self.rows.iter().map(|(end, _)| *end));
        begins
            .zip(&self.rows)
            .flat_map(move |(begin, &(end, size))| {
                let bytes = self.bytes.get(begin..end).unwrap_or_default();
                bytes
                    .chunks(most(size).max(size))
                    .map(move |call| (call, size))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(sizes: &[usize], most: usize) -> Vec<(usize, usize)> {
        let mut datagrams = Datagrams::default();
        for size in sizes {
            datagrams.push(&vec![0; *size]);
        }
        let calls = datagrams.calls(|size| most / size * size);
        calls.map(|(call, size)| (call.len(), size)).collect()
    }

    #[test]
    fn packets_of_a_size_go_together_and_a_shorter_one_ends_the_row() {
        assert_eq!(calls(&[100, 100, 40], 1_000), [(240, 100)]);
        assert_eq!(calls(&[100, 40, 40], 1_000), [(140, 100), (40, 40)]);
        assert_eq!(calls(&[40, 100, 100], 1_000), [(40, 40), (200, 100)]);
        assert_eq!(calls(&[100; 5], 250), [(200, 100), (200, 100), (100, 100)]);
    }

    #[test]
    fn a_packet_that_fails_is_as_if_it_had_never_been() {
        let mut datagrams = Datagrams::default();
        datagrams.push(&[1; 10]);
        let failed = datagrams.push_with(|bytes| {
            bytes.extend([2; 10]);
            Err(())
        });
        assert_eq!(failed, Err(()));
        let written = datagrams.push_with(|bytes| {
            bytes.extend([3; 10]);
            Ok::<_, ()>(())
        });
        assert_eq!(written, Ok(()));
        let calls: Vec<_> = datagrams.calls(|_| usize::MAX).collect();
        assert_eq!(calls, [(&[[1; 10], [3; 10]].concat()[..], 10)]);
    }
}
