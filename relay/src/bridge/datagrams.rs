//! Packets to one address that leave in one system call.

/// Packets of one size, and perhaps a last shorter one: what the system cuts apart again (GSO).
#[derive(Debug, Default)]
pub(super) struct Datagrams {
    bytes: Vec<u8>,
    /// Where each row of packets of one size ends, and that size.
    rows: Vec<(usize, usize)>,
    /// The last row has had its shorter packet.
    closed: bool,
}

impl Datagrams {
    /// Bytes of all packets.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
        self.closed = false;
    }

    /// Appends a packet.
    pub(super) fn push(&mut self, packet: &[u8]) {
        self.bytes.extend_from_slice(packet);
        let end = self.bytes.len();
        match self.rows.last_mut() {
            Some((last, size)) if !self.closed && packet.len() <= *size => {
                self.closed = packet.len() < *size;
                *last = end;
            }
            _ => {
                self.rows.push((end, packet.len()));
                self.closed = false;
            }
        }
    }

    /// What goes into one call each, `most` bytes of a packet size at most: the packets, and the size.
    pub(super) fn calls(
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
}
