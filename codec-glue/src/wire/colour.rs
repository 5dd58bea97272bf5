//! How samples become colours (PROTOCOL 4.2).

/// What a picture's samples mean, in the words of WebCodecs (`VideoColorSpace`): one of each list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// The place in [`PRIMARIES`], from 1.
    primaries: u8,
    /// The place in [`TRANSFERS`], from 1.
    transfer: u8,
    /// The place in [`MATRICES`], from 1.
    matrix: u8,
    full_range: bool,
}

/// Which red, green and blue; the first one's number on the wire is 1.
pub const PRIMARIES: [&str; 5] = ["bt709", "bt470bg", "smpte170m", "bt2020", "smpte432"];
/// How light grows with the number; numbered likewise.
pub const TRANSFERS: [&str; 6] = ["bt709", "smpte170m", "iec61966-2-1", "linear", "pq", "hlg"];
/// How red, green and blue make brightness and colour; numbered likewise.
pub const MATRICES: [&str; 5] = ["rgb", "bt709", "bt470bg", "smpte170m", "bt2020-ncl"];

/// Bits of a frame header's flags: the primaries, and whether the range is full.
pub(super) const FLAGS: u8 = 0b1111_0000;
const FULL_RANGE: u8 = 0b1000_0000;

impl Colour {
    /// The first version whose sessions may carry one (PROTOCOL 2.11).
    pub const SINCE: u16 = 2;

    /// The colour with these names; `None` where one of them has no number.
    pub fn new(primaries: &str, transfer: &str, matrix: &str, full_range: bool) -> Option<Self> {
        Some(Self {
            primaries: number(&PRIMARIES, primaries)?,
            transfer: number(&TRANSFERS, transfer)?,
            matrix: number(&MATRICES, matrix)?,
            full_range,
        })
    }

    /// Primaries, transfer and matrix.
    pub fn names(self) -> (&'static str, &'static str, &'static str) {
        (
            PRIMARIES[usize::from(self.primaries) - 1],
            TRANSFERS[usize::from(self.transfer) - 1],
            MATRICES[usize::from(self.matrix) - 1],
        )
    }

    /// Whether samples use all their numbers, instead of 16 to 235.
    pub fn is_full_range(self) -> bool {
        self.full_range
    }

    /// What a keyframe's header says in its flags and in its byte of colour; `None` when it says
    /// nothing, or something that a later version may mean.
    pub(super) fn from_header(flags: u8, colour: u8) -> Option<Self> {
        let (primaries, transfer, matrix) = ((flags >> 4) & 7, colour & 7, (colour >> 3) & 7);
        let known =
            known(&PRIMARIES, primaries) && known(&TRANSFERS, transfer) && known(&MATRICES, matrix);
        known.then_some(Self {
            primaries,
            transfer,
            matrix,
            full_range: flags & FULL_RANGE != 0,
        })
    }

    /// The bits for the flags, and the byte of colour.
    pub(super) fn to_header(self) -> (u8, u8) {
        let range = if self.full_range { FULL_RANGE } else { 0 };
        (
            range | self.primaries << 4,
            self.matrix << 3 | self.transfer,
        )
    }
}

fn number(names: &[&str], name: &str) -> Option<u8> {
    let at = names.iter().position(|&known| known == name)?;
    u8::try_from(at + 1).ok()
}

fn known(names: &[&str], number: u8) -> bool {
    (1..=names.len()).contains(&number.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_keeps_its_names() {
        for primaries in PRIMARIES {
            for transfer in TRANSFERS {
                for matrix in MATRICES {
                    for full in [false, true] {
                        let colour = Colour::new(primaries, transfer, matrix, full).unwrap();
                        let (flags, byte) = colour.to_header();
                        assert_eq!(flags & !FLAGS, 0);
                        let read = Colour::from_header(flags | 0b11, byte | 0b1100_0000);
                        assert_eq!(read, Some(colour));
                        assert_eq!(colour.names(), (primaries, transfer, matrix));
                        assert_eq!(colour.is_full_range(), full);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_known_is_no_colour() {
        let (flags, byte) = Colour::new("bt709", "bt709", "bt709", true)
            .unwrap()
            .to_header();
        assert_eq!(Colour::from_header(0, 0), None);
        assert_eq!(Colour::from_header(flags, 0), None);
        assert_eq!(Colour::from_header(0, byte), None);
        assert_eq!(Colour::from_header(0x60, byte), None, "primaries 6");
        assert_eq!(Colour::from_header(flags, byte | 7), None, "transfer 7");
        assert_eq!(
            Colour::from_header(flags, byte | 0b11_1000),
            None,
            "matrix 7"
        );
        assert_eq!(Colour::new("film", "bt709", "bt709", false), None);
    }
}
