use std::ops::{Add, Mul};
use std::time::Duration;

/// A count of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

impl Bytes {
    /// So many bytes.
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// How many.
    pub const fn count(self) -> u64 {
        self.0
    }

    /// As an amount to calculate with.
    pub(super) fn amount(self) -> f64 {
        self.0 as f64
    }

    /// The whole bytes of an amount; none when it is negative.
    pub(super) fn of_amount(amount: f64) -> Self {
        Self(amount as u64)
    }
}

impl Add for Bytes {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }
}

impl Mul<f64> for Bytes {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        Self::of_amount(self.amount() * factor)
    }
}

/// A rate of transmission, never negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// So many bytes a second.
    pub fn bytes_per_second(rate: f64) -> Self {
        Self(rate.max(0.0))
    }

    /// So many bits a second.
    pub fn bits_per_second(rate: f64) -> Self {
        Self::bytes_per_second(rate / 8.0)
    }

    /// In bytes a second.
    pub fn bytes(self) -> f64 {
        self.0
    }

    /// In bits a second.
    pub fn bits(self) -> f64 {
        self.0 * 8.0
    }

    /// What goes at this rate in a time.
    pub fn carries(self, time: Duration) -> Bytes {
        Bytes::of_amount(self.0 * time.as_secs_f64())
    }

    /// How long so many bytes take at this rate; no more than an hour.
    pub fn takes(self, bytes: Bytes) -> Duration {
        let seconds = bytes.amount() / self.0.max(f64::MIN_POSITIVE);
        Duration::from_secs_f64(seconds.min(3_600.0))
    }
}

impl Mul<f64> for Rate {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        Self::bytes_per_second(self.0 * factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_carries_and_takes_alike() {
        let rate = Rate::bits_per_second(8e6);
        let second = Duration::from_secs(1);
        assert_eq!(rate.carries(second), Bytes::new(1_000_000));
        assert_eq!(rate.takes(Bytes::new(1_000_000)), second);
        assert_eq!((rate.bytes(), rate.bits()), (1e6, 8e6));
        assert_eq!((rate * 0.5).bytes(), 5e5);
        assert_eq!((rate * -1.0).bytes(), 0.0);
        let bytes = Bytes::new(1_000) + Bytes::new(500);
        assert_eq!(
            (bytes * 0.5, bytes * -1.0),
            (Bytes::new(750), Bytes::default())
        );
        let hour = Duration::from_secs(3_600);
        assert_eq!(Rate::default().takes(Bytes::new(1)), hour);
    }
}
