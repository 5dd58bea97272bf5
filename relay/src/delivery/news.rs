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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_narrow_path_carries_is_told_in_kilobits() {
        let told = |carries| {
            let news = PathNews::of(carries);
            (news.narrow, news.carries_kbps)
        };
        assert_eq!(told(None), (false, None));
        assert_eq!(told(Some(125_000)), (true, Some(1_000)));
        assert_eq!(told(Some(u64::MAX / 8)), (true, Some(u32::MAX)));
    }
}
