//! How much of what was lost is sent again.

/// Bytes that may be sent again before anything was sent for the first time.
const AT_FIRST: f64 = 24_000.0;
/// Bytes that may be sent again at once, however much was sent before.
const MOST: f64 = 2_500_000.0;

/// As many bytes are sent again as were sent: more than half of the packets are never lost on a
/// path that is any good, and nobody gets much for little by asking.
#[derive(Debug)]
pub(super) struct Repairs(f64);

impl Repairs {
    pub(super) fn new() -> Self {
        Self(AT_FIRST)
    }

    /// Bytes went out for the first time.
    pub(super) fn earn(&mut self, bytes: usize) {
        self.0 = (self.0 + bytes as f64).min(MOST);
    }

    /// Bytes that may be sent again.
    pub(super) fn left(&self) -> usize {
        self.0 as usize
    }

    /// Bytes were sent again.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.0 -= bytes as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_sent_again_than_was_sent() {
        let mut repairs = Repairs::new();
        let mut again = 0;
        for _ in 0..1_000 {
            repairs.earn(500);
            let left = repairs.left();
            repairs.spend(left);
            again += left;
        }
        assert!(
            (500_000..=500_000 + AT_FIRST as usize).contains(&again),
            "{again}"
        );
    }
}
