//! What a player is told of the path to it.

/// What a player is told of the path to it (PROTOCOL 2.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathNews {
    /// Whether it carries less than the picture needs.
    pub narrow: bool,
    /// What it carries, in kbit/s; `None`: not known, or more than enough.
    pub carries_kbps: Option<u32>,
}

impl PathNews {
    /// Of a path that carries so many bytes per second, less than the picture needs; `None`: of one
    /// that is wide enough.
    pub(super) fn of(carries: Option<u64>) -> Self {
        let kbps = |bytes: u64| u32::try_from(bytes * 8 / 1_000).unwrap_or(u32::MAX);
        Self {
            narrow: carries.is_some(),
            carries_kbps: carries.map(kbps),
        }
    }
}
