use super::RtpError;
use crate::wire::limits;

/// What a codec makes of a frame's payloads, one after the other.
pub(super) trait Parts: Send + std::fmt::Debug {
    /// Whether a frame can begin with this payload; `after_loss` where what stood before it
    /// is not known.
    fn begins(&self, payload: &[u8], after_loss: bool) -> Result<bool, RtpError>;
    /// Adds the next payload of the frame.
    fn add(&mut self, payload: &[u8]) -> Result<(), RtpError>;
    /// The frame, whole; none when the payloads held no picture. Then begins the next.
    fn finish(&mut self) -> Result<Option<Whole>, RtpError>;
    /// Drops what there is of the frame.
    fn clear(&mut self);
    /// Takes a parameter set that is told outside of the packets; only H.264 has such.
    fn keep_parameter_set(&mut self, _unit: &[u8]) -> Result<(), RtpError> {
        Ok(())
    }
}

/// A frame put together again.
pub(super) struct Whole {
    /// A WebCodecs chunk.
    pub(super) payload: Vec<u8>,
    /// Its temporal layer.
    pub(super) layer: u8,
    /// No other frame needs it.
    pub(super) disposable: bool,
}

/// Adds bytes to a frame, which has its limit.
pub(super) fn append(frame: &mut Vec<u8>, bytes: &[u8]) -> Result<(), RtpError> {
    if frame.len() + bytes.len() > limits::PAYLOAD as usize {
        return Err(RtpError::TooLarge);
    }
    frame.extend_from_slice(bytes);
    Ok(())
}

/// What the descriptor before every payload of VP8 and VP9 says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Described<'a> {
    /// The frame begins here.
    pub(super) begins: bool,
    /// The temporal layer.
    pub(super) layer: u8,
    /// What follows the descriptor.
    pub(super) bytes: &'a [u8],
}

/// The parts of codecs whose frames are cut anywhere.
#[derive(Debug)]
pub(super) struct Cuts {
    read: fn(&[u8]) -> Result<Described<'_>, RtpError>,
    frame: Vec<u8>,
    layer: u8,
}

impl Cuts {
    /// Of a codec whose descriptor `read` takes off.
    pub(super) fn new(read: fn(&[u8]) -> Result<Described<'_>, RtpError>) -> Self {
        Self {
            read,
            frame: Vec::new(),
            layer: 0,
        }
    }
}

impl Parts for Cuts {
    fn begins(&self, payload: &[u8], _: bool) -> Result<bool, RtpError> {
        Ok((self.read)(payload)?.begins)
    }

    fn add(&mut self, payload: &[u8]) -> Result<(), RtpError> {
        let part = (self.read)(payload)?;
        if part.begins != self.frame.is_empty() {
            return Err(RtpError::Malformed("a frame that begins inside another"));
        }
        if part.begins {
            self.layer = part.layer;
        }
        append(&mut self.frame, part.bytes)
    }

    fn finish(&mut self) -> Result<Option<Whole>, RtpError> {
        Ok(Some(Whole {
            payload: std::mem::take(&mut self.frame),
            layer: self.layer,
            disposable: false,
        }))
    }

    fn clear(&mut self) {
        self.frame.clear();
    }
}

/// The part of a payload that was not read yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    const ENDS_EARLY: RtpError = RtpError::Malformed("a payload that ends in its header");

    pub(super) fn byte(&mut self) -> Result<u8, RtpError> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], RtpError> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Self::ENDS_EARLY)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// A picture id of 7 or 15 bits, behind the bit that says which (M).
    pub(super) fn picture_id(&mut self) -> Result<(), RtpError> {
        let long = self.byte()? & 0x80 != 0;
        self.take(long.into())?;
        Ok(())
    }

    /// What follows a descriptor, which is never nothing.
    pub(super) fn rest(self) -> Result<&'a [u8], RtpError> {
        if self.0.is_empty() {
            return Err(Self::ENDS_EARLY);
        }
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_may_be_exactly_as_long_as_its_limit() {
        let mut frame = vec![0; limits::PAYLOAD as usize - 2];
        assert_eq!(append(&mut frame, &[0; 3]), Err(RtpError::TooLarge));
        assert_eq!(append(&mut frame, &[0; 2]), Ok(()));
        assert_eq!(frame.len(), limits::PAYLOAD as usize);
        assert_eq!(append(&mut frame, &[]), Ok(()));
        assert_eq!(append(&mut frame, &[0]), Err(RtpError::TooLarge));
    }

    #[test]
    fn nothing_is_left_of_a_frame_that_was_dropped() {
        let mut cuts = Cuts::new(crate::rtp::vp8::read);
        cuts.add(&[0x10, 1]).unwrap();
        cuts.clear();
        // T and K: layer 2.
        cuts.add(&[0x90, 0x30, 0x80, 2]).unwrap();
        cuts.add(&[0x00, 3]).unwrap();
        let whole = cuts.finish().unwrap().unwrap();
        assert_eq!((whole.payload, whole.layer), (vec![2, 3], 2));
    }
}
