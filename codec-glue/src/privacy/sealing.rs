//! Frames sealed and opened, with one key for each tenure and source.

use std::collections::VecDeque;

use ring::error::Unspecified;

use super::sframe::{Header, Key};
use super::{
    LinkKey, OpenError, OpenPicture, OpenSound, PicturePlace, SealError, Tenure, picture, sound,
};
use crate::wire::{FrameHeader, TrackId};

/// The source of sound in a key id; those below are tracks.
const SOUND: u8 = 16;
/// Keys that an opener remembers: whoever makes up tenures costs it time, and no memory.
const KEYS: usize = 64;

/// Seals what a host sends in one session.
pub struct Sealer {
    keys: Keys,
    tenure: Tenure,
}

impl Sealer {
    /// For a session that no other sealer was for; `tenure` is random.
    pub fn new(key: LinkKey, tenure: Tenure) -> Self {
        Self {
            keys: Keys::new(key),
            tenure,
        }
    }

    /// The payload of a frame with this header, whose lengths do not matter, and this decoder config; no two frames
    /// of a sealer have one place.
    ///
    /// # Errors
    /// [`SealError`] where `distance` leads out of the group.
    pub fn picture(
        &mut self,
        (header, config): (&FrameHeader, &[u8]),
        (captured_us, distance): (u64, u8),
        chunk: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let place = PicturePlace::of(header);
        picture::check(place, distance)?;
        let key = self.keys.of(self.tenure.key_id(header.track.number()))?;
        let inside = picture::inside(captured_us, distance, chunk);
        let metadata = picture::metadata(header, config);
        Ok(key.seal(place.counter(), &metadata, &inside)?)
    }

    /// A frame of sound, as it travels in datagrams; no two frames of a sealer have one number.
    ///
    /// # Errors
    /// [`SealError`] where the cipher refuses, of which nothing is known.
    pub fn sound(
        &mut self,
        sequence: u32,
        captured_us: u64,
        frame: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let key = self.keys.of(self.tenure.key_id(SOUND))?;
        Ok(key.seal(sequence.into(), &[], &sound::inside(captured_us, frame))?)
    }
}

/// Opens what was sealed with a link's key, by any host in any session.
pub struct Opener {
    keys: Keys,
}

impl Opener {
    /// For a private broadcast.
    pub fn new(key: LinkKey) -> Self {
        Self {
            keys: Keys::new(key),
        }
    }

    /// What is in the payload of a frame with this header and decoder config.
    ///
    /// # Errors
    /// [`OpenError`]; nothing of such a frame is to be shown.
    pub fn picture(
        &mut self,
        (header, config): (&FrameHeader, &[u8]),
        payload: &[u8],
    ) -> Result<OpenPicture, OpenError> {
        let (sframe, sealed) = Header::decode(payload)?;
        let (tenure, source) = Tenure::of(sframe.key_id);
        let track = TrackId::from_number(source).ok_or(OpenError::Malformed(
            "what is no picture in the place of one",
        ))?;
        let key = self.keys.of(sframe.key_id)?;
        let metadata = picture::metadata(header, config);
        let inside = key.open(sframe.counter, &metadata, sealed)?;
        let opened = picture::read((tenure, track), sframe.counter, inside)?;
        if (opened.place.index == 0) != header.keyframe {
            return Err(OpenError::Malformed("a keyframe within a group"));
        }
        Ok(opened)
    }

    /// What is in a frame of sound.
    ///
    /// # Errors
    /// [`OpenError`]; nothing of such a frame is to be heard.
    pub fn sound(&mut self, frame: &[u8]) -> Result<OpenSound, OpenError> {
        let (sframe, sealed) = Header::decode(frame)?;
        let (tenure, source) = Tenure::of(sframe.key_id);
        if source != SOUND {
            return Err(OpenError::Malformed("what is no sound in the place of it"));
        }
        let inside = self
            .keys
            .of(sframe.key_id)?
            .open(sframe.counter, &[], sealed)?;
        sound::read(tenure, sframe.counter, inside)
    }
}

/// The keys that were used last.
struct Keys {
    base: LinkKey,
    known: VecDeque<(u64, Key)>,
}

impl Keys {
    fn new(base: LinkKey) -> Self {
        Self {
            base,
            known: VecDeque::new(),
        }
    }

    /// The key of this id, which becomes the newest.
    fn of(&mut self, id: u64) -> Result<&Key, Unspecified> {
        let at = self.known.iter().position(|(known, _)| *known == id);
        let key = match at.and_then(|at| self.known.remove(at)) {
            Some((_, key)) => key,
            None => Key::derive(self.base.bytes(), id)?,
        };
        self.known.truncate(KEYS - 1);
        self.known.push_front((id, key));
        Ok(&self.known[0].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &[u8] = &[2, 0, 1, 0x80, 3, b'v', b'p', b'8', 0, 0];

    fn header(keyframe: bool, index: u32) -> FrameHeader {
        FrameHeader {
            keyframe,
            refinement: false,
            sealed: true,
            track: TrackId::MAIN,
            layer: 0,
            epoch: 4,
            group: 9,
            index,
            capture_us: 77,
            payload_len: 1,
            config_len: if keyframe { CONFIG.len() as u16 } else { 0 },
            colour: None,
        }
    }

    fn pair() -> (Sealer, Opener) {
        let key = LinkKey::new([3; LinkKey::LEN]);
        (
            Sealer::new(key.clone(), Tenure::new([5; 7])),
            Opener::new(key),
        )
    }

    #[test]
    fn a_picture_opens_with_its_place_and_the_time_of_its_host() {
        let (mut sealer, mut opener) = pair();
        let head = (&header(true, 0), CONFIG);
        let sealed = sealer
            .picture(head, (1_790_000_000_000_000, 0), b"key")
            .unwrap();
        let opened = opener.picture(head, &sealed).unwrap();
        assert_eq!(opened.place, PicturePlace::of(head.0));
        assert_eq!(opened.tenure, Tenure::new([5; 7]));
        assert_eq!(
            (opened.captured_us, opened.distance),
            (1_790_000_000_000_000, 0)
        );
        assert_eq!(opened.chunk, b"key");
    }

    #[test]
    fn relays_may_number_and_time_a_frame_anew_and_nothing_else() {
        let (mut sealer, mut opener) = pair();
        let written = header(false, 3);
        let sealed = sealer.picture((&written, &[]), (5, 1), b"delta").unwrap();
        let passed_on = FrameHeader {
            track: TrackId::from_number(5).unwrap(),
            epoch: 40,
            group: 90,
            capture_us: 770,
            payload_len: 99,
            ..written
        };
        assert!(opener.picture((&passed_on, &[]), &sealed).is_ok());
        for changed in [
            FrameHeader {
                refinement: true,
                ..written
            },
            FrameHeader {
                layer: 1,
                ..written
            },
            FrameHeader {
                sealed: false,
                ..written
            },
            FrameHeader {
                keyframe: true,
                ..written
            },
        ] {
            let opened = opener.picture((&changed, &[]), &sealed);
            assert_eq!(opened, Err(OpenError::Forged), "{changed:?}");
        }
        let key = sealer
            .picture((&header(true, 0), CONFIG), (5, 0), b"key")
            .unwrap();
        let wider = [&[9], &CONFIG[1..]].concat();
        let opened = opener.picture((&header(true, 0), &wider), &key);
        assert_eq!(opened, Err(OpenError::Forged));
    }

    #[test]
    fn who_has_another_key_sees_and_hears_nothing() {
        let (mut sealer, _) = pair();
        let mut other = Opener::new(LinkKey::new([4; LinkKey::LEN]));
        let head = (&header(true, 0), CONFIG);
        let sealed = sealer.picture(head, (1, 0), b"key").unwrap();
        assert_eq!(other.picture(head, &sealed), Err(OpenError::Forged));
        let sealed = sealer.sound(1, 1, b"opus").unwrap();
        assert_eq!(other.sound(&sealed), Err(OpenError::Forged));
    }

    #[test]
    fn sound_and_pictures_do_not_take_each_other_s_place() {
        let (mut sealer, mut opener) = pair();
        let sound = sealer.sound(0x9_0000, 6, b"opus").unwrap();
        let opened = opener.sound(&sound).unwrap();
        assert_eq!((opened.sequence, opened.captured_us), (0x9_0000, 6));
        assert_eq!(opened.frame, b"opus");
        let head = (&header(true, 0), CONFIG);
        assert!(matches!(
            opener.picture(head, &sound),
            Err(OpenError::Malformed(_))
        ));
        let picture = sealer.picture(head, (1, 0), b"key").unwrap();
        assert!(matches!(
            opener.sound(&picture),
            Err(OpenError::Malformed(_))
        ));
    }

    #[test]
    fn a_frame_follows_one_of_its_own_group() {
        let (mut sealer, _) = pair();
        for (keyframe, index, distance) in [(true, 0, 1), (false, 2, 0), (false, 2, 3)] {
            let head = (&header(keyframe, index), CONFIG);
            assert_eq!(sealer.picture(head, (1, distance), b"x"), Err(SealError));
        }
    }

    #[test]
    fn two_tenures_seal_the_same_differently() {
        let key = LinkKey::new([3; LinkKey::LEN]);
        let of = |tenure| {
            Sealer::new(key.clone(), Tenure::new(tenure))
                .sound(1, 1, b"the same")
                .unwrap()
        };
        assert_ne!(of([1; 7])[10..], of([2; 7])[10..]);
    }

    #[test]
    fn an_opener_remembers_so_many_keys_and_opens_with_any() {
        let (_, mut opener) = pair();
        let key = LinkKey::new([3; LinkKey::LEN]);
        for round in 0..2 {
            for tenure in 0..2 * KEYS {
                let tenure = Tenure::new((tenure as u64).to_be_bytes()[1..].try_into().unwrap());
                let sealed = Sealer::new(key.clone(), tenure)
                    .sound(round, 1, b"opus")
                    .unwrap();
                assert_eq!(opener.sound(&sealed).map(|sound| sound.tenure), Ok(tenure));
            }
            assert_eq!(opener.keys.known.len(), KEYS);
        }
    }
}
