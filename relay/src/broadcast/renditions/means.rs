//! What a player can be served by.

use steadycast_codec_glue::wire::{CodecKind, CodecSet};

/// How much of the picture the path to a player carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Width {
    /// As much as the publisher chose to send.
    #[default]
    Wide,
    /// Less.
    Narrow,
    /// Much less than others that are narrow.
    Narrower,
}

impl Width {
    /// How many there are.
    pub(super) const COUNT: usize = 3;
    const ALL: [Self; Self::COUNT] = [Self::Wide, Self::Narrow, Self::Narrower];

    /// This and all that are wider, this first.
    pub(super) fn and_wider(self) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .rev()
            .skip_while(move |width| *width > self)
    }
}

/// What a publisher can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Widths {
    /// What it chose, and renditions of that in other codecs.
    One,
    /// Renditions for narrow paths as well.
    Any,
}

/// What a player can be served by: all players of the same means get the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Means {
    /// What it can decode; `None` for a player that has not said.
    pub codecs: Option<CodecSet>,
    /// How wide its path is.
    pub width: Width,
    /// Nothing may take the place of the rendition that it is to have: it is a relay that needs that one.
    pub exact: bool,
}

/// Sets of codecs, and that of a player that has said nothing.
const SETS: usize = CodecSet::COUNT + 1;

impl Means {
    /// How many there are.
    pub(super) const COUNT: usize = SETS * Width::COUNT * 2;

    /// All of them; those with little choice first.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let mut sets: Vec<_> = (0..CodecSet::COUNT as u8)
            .map(CodecSet::from_bits)
            .chain([None])
            .collect();
        sets.sort_by_key(|codecs| codecs.map_or(usize::MAX, CodecSet::len));
        sets.into_iter()
            .flat_map(|codecs| Width::ALL.map(|width| (codecs, width)))
            .flat_map(|(codecs, width)| {
                [false, true].map(|exact| Self {
                    codecs,
                    width,
                    exact,
                })
            })
    }

    /// Their place among all; below [`Means::COUNT`].
    pub(super) fn place(self) -> usize {
        let set = self
            .codecs
            .map_or(CodecSet::COUNT, |codecs| codecs.bits().into());
        (usize::from(self.exact) * Width::COUNT + self.width as usize) * SETS + set
    }

    /// Whether a player of these means can decode what it has in `codec`: one that has not said otherwise
    /// is taken to.
    pub(super) fn can_decode(self, codec: CodecKind) -> bool {
        self.codecs.is_none_or(|codecs| codecs.contains(codec))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_means_have_places_of_their_own() {
        let places: HashSet<_> = Means::all().map(Means::place).collect();
        assert_eq!(places.len(), Means::COUNT);
        assert!(places.into_iter().all(|place| place < Means::COUNT));
    }

    #[test]
    fn widths_widen_one_after_another() {
        assert!(
            Width::Narrower
                .and_wider()
                .eq([Width::Narrower, Width::Narrow, Width::Wide])
        );
        assert!(Width::Wide.and_wider().eq([Width::Wide]));
    }
}
