use super::{CONTINUED, CONTINUES, HAS_SIZE, leb128_bytes, leb128_len};
use crate::bitstream::av1::{Obu, ObuType, leb128, obus};
use crate::rtp::parts::{Input, Parts, Whole, append};
use crate::rtp::{FRAME_UNITS, RtpError};

/// A temporal delimiter with its size, which begins every temporal unit (AV1 7.5).
const DELIMITER: [u8; 2] = [0x12, 0];

/// The OBUs of a temporal unit, in the low-overhead format (AV1 5.2).
#[derive(Debug, Default)]
pub(crate) struct Obus {
    unit: Vec<u8>,
    count: usize,
    /// The OBU that goes on in the next payload; empty when none does.
    fragments: Vec<u8>,
    /// `temporal_id` of the first frame.
    layer: Option<u8>,
}

impl Parts for Obus {
    /// Whatever does not go on from the last payload: that nothing stood before it is known
    /// of keyframes only, by their sequence header.
    fn begins(&self, payload: &[u8], _: bool) -> Result<bool, RtpError> {
        Ok(Input(payload).byte()? & CONTINUES == 0)
    }

    fn add(&mut self, payload: &[u8]) -> Result<(), RtpError> {
        let mut input = Input(payload);
        let header = input.byte()?;
        let count = u32::from(header >> 4 & 0b11);
        let mut continues = header & CONTINUES != 0;
        if continues == self.fragments.is_empty() {
            return Err(RtpError::Malformed("an OBU without its other fragments"));
        }
        for number in 1u32.. {
            let element = element(&mut input, number == count)?;
            let last = if count == 0 {
                input.0.is_empty()
            } else {
                number == count
            };
            let continued = last && header & CONTINUED != 0;
            self.add_element(element, continues, continued)?;
            if last {
                break;
            }
            continues = false;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Option<Whole>, RtpError> {
        if !self.fragments.is_empty() {
            return Err(RtpError::Malformed("an OBU without its last fragment"));
        }
        let payload = std::mem::take(&mut self.unit);
        let layer = self.layer.unwrap_or(0);
        self.clear();
        if payload.is_empty() {
            return Ok(None);
        }
        Ok(Some(Whole {
            payload,
            layer,
            disposable: false,
        }))
    }

    fn clear(&mut self) {
        self.unit.clear();
        self.count = 0;
        self.fragments.clear();
        self.layer = None;
    }
}

impl Obus {
    fn add_element(
        &mut self,
        element: &[u8],
        continues: bool,
        continued: bool,
    ) -> Result<(), RtpError> {
        if !continues && !continued {
            return self.add_obus(element);
        }
        append(&mut self.fragments, element)?;
        if !continued {
            let mut whole = std::mem::take(&mut self.fragments);
            self.add_obus(&whole)?;
            whole.clear();
            self.fragments = whole;
        }
        Ok(())
    }

    /// Adds the OBU of an element. It should be one without size; some senders leave the
    /// size where it was, and then more than one do no harm.
    fn add_obus(&mut self, element: &[u8]) -> Result<(), RtpError> {
        for obu in obus(element) {
            let obu = obu?;
            match obu.kind {
                ObuType::TemporalDelimiter | ObuType::TileList | ObuType::Padding => continue,
                ObuType::Frame | ObuType::FrameHeader => {
                    self.layer.get_or_insert(obu.temporal_id);
                }
                _ => {}
            }
            self.add_obu(&obu)?;
        }
        Ok(())
    }

    fn add_obu(&mut self, obu: &Obu<'_>) -> Result<(), RtpError> {
        self.count += 1;
        if self.count > FRAME_UNITS {
            return Err(RtpError::TooLarge);
        }
        if self.unit.is_empty() {
            self.unit.extend(DELIMITER);
        }
        let header = self.unit.len();
        append(&mut self.unit, obu.header)?;
        self.unit[header] |= HAS_SIZE;
        let len = obu.payload.len();
        self.unit.extend(leb128_bytes(len, leb128_len(len)));
        append(&mut self.unit, obu.payload)
    }
}

/// Takes an element off a payload; `bare` ones are as long as what is left.
fn element<'a>(input: &mut Input<'a>, bare: bool) -> Result<&'a [u8], RtpError> {
    let len = if bare {
        input.0.len()
    } else {
        let (len, rest) = leb128(input.0)?;
        *input = Input(rest);
        len
    };
    match input.take(len)? {
        [] => Err(RtpError::Malformed("an OBU element of no bytes")),
        element => Ok(element),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstream::BitstreamError;

    /// The unit of these payloads, without its delimiter, and its layer.
    fn of(payloads: &[&[u8]]) -> Result<(Vec<u8>, u8), RtpError> {
        let mut obus = Obus::default();
        for payload in payloads {
            obus.add(payload)?;
        }
        let whole = obus.finish()?.unwrap();
        assert_eq!(whole.payload[..2], DELIMITER);
        Ok((whole.payload[2..].to_vec(), whole.layer))
    }

    fn unit(payloads: &[&[u8]]) -> Vec<u8> {
        of(payloads).unwrap().0
    }

    #[test]
    fn elements_are_counted_or_have_lengths() {
        let whole = [0x0a, 1, 7, 0x22, 1, 8, 0x32, 1, 9];
        let counted = [0x38, 2, 0x08, 7, 2, 0x20, 8, 0x30, 9];
        assert_eq!(unit(&[&counted]), whole);
        let sized = [0x08, 2, 0x08, 7, 2, 0x20, 8, 0x82, 0, 0x30, 9];
        assert_eq!(unit(&[&sized]), whole);
        let apart = [&[0x18, 0x08, 7][..], &[0x10, 0x20, 8], &[0, 2, 0x30, 9]];
        assert_eq!(unit(&apart), whole);
    }

    #[test]
    fn fragments_are_put_together() {
        let payloads = [
            &[0x68, 2, 0x08, 7, 0x30][..],
            &[0xd0, 9],
            &[0xa0, 1, 8, 0x20, 6],
        ];
        assert_eq!(unit(&payloads), [0x0a, 1, 7, 0x32, 2, 9, 8, 0x22, 1, 6]);
        let lengths = [&[0x40, 2, 0x08, 7, 1, 0x30][..], &[0x80, 1, 9]];
        assert_eq!(unit(&lengths), [0x0a, 1, 7, 0x32, 1, 9]);
    }

    #[test]
    fn sizes_are_accepted_and_delimiters_dropped() {
        let payload = [0x20, 2, 0x12, 0, 0x0a, 1, 7, 0x32, 1, 9];
        assert_eq!(unit(&[&payload]), [0x0a, 1, 7, 0x32, 1, 9]);
        let padding = [0x20, 2, 0x78, 0, 0x30, 9];
        assert_eq!(unit(&[&padding]), [0x32, 1, 9]);
    }

    #[test]
    fn a_frame_tells_its_layer() {
        assert_eq!(
            of(&[&[0x10, 0x34, 0x40, 9]]),
            Ok((vec![0x36, 0x40, 1, 9], 2))
        );
        assert_eq!(of(&[&[0x10, 0x30, 9]]).unwrap().1, 0);
    }

    #[test]
    fn spatial_layers_are_one_unit() {
        let payloads = [&[0x10, 0x34, 0x00, 8][..], &[0x10, 0x34, 0x08, 9]];
        let whole = [0x36, 0x00, 1, 8, 0x36, 0x08, 1, 9];
        assert_eq!(of(&payloads), Ok((whole.to_vec(), 0)));
    }

    #[test]
    fn a_long_obu_has_a_long_size() {
        let payload = [&[0x10, 0x30][..], &[9; 300]].concat();
        assert_eq!(unit(&[&payload])[..4], [0x32, 0xac, 0x02, 9]);
    }

    #[test]
    fn broken_payloads_are_refused() {
        let malformed: [&[&[u8]]; 9] = [
            &[&[]],                             // no aggregation header
            &[&[0x10]],                         // an element of no bytes
            &[&[0x00, 0]],                      // the same, with its length
            &[&[0x20, 2, 0x30, 9]],             // one element of two
            &[&[0x00, 3, 0x30, 9]],             // a length beyond the payload
            &[&[0x90, 9]],                      // a fragment of nothing
            &[&[0x50, 0x30], &[0x10, 0x30, 9]], // an OBU that does not go on
            &[&[0x50, 0x30]],                   // an OBU that does not end
            &[&[0x50, 0x30], &[0x90, 9], &[0x90, 9]],
        ];
        for payloads in malformed {
            let error = of(payloads).unwrap_err();
            assert!(matches!(error, RtpError::Malformed(_)), "{payloads:?}");
        }
        let early = Err(BitstreamError::EndsEarly.into());
        let bitstream: [&[u8]; 5] = [
            &[0x00],             // a length that is not there
            &[0x00, 0x80],       // one that does not end
            &[0x10, 0x34],       // an extension that is not there
            &[0x10, 0x32],       // a size that is not there
            &[0x10, 0x32, 2, 9], // a size beyond the element
        ];
        for payload in bitstream {
            assert_eq!(of(&[payload]), early, "{payload:?}");
        }
        assert!(of(&[&[0x10, 0xb0]]).is_err());
    }

    #[test]
    fn a_frame_has_its_limits() {
        let many = [&[0][..], &[1, 0x20].repeat(FRAME_UNITS)].concat();
        assert!(of(&[&many]).is_ok());
        assert_eq!(of(&[&many, &[0x10, 0x20]]), Err(RtpError::TooLarge));
        let mut endless = vec![0xd0; 65_000];
        let mut obus = Obus::default();
        endless[0] = 0x50;
        obus.add(&endless).unwrap();
        endless[0] = 0xd0;
        let added = (0..64).find_map(|_| obus.add(&endless).err());
        assert_eq!(added, Some(RtpError::TooLarge));
    }

    #[test]
    fn nothing_is_left_of_a_unit_that_was_dropped() {
        let mut obus = Obus::default();
        obus.add(&[0x10, 0x34, 0x40, 9]).unwrap();
        obus.add(&[0x50, 0x30]).unwrap();
        obus.clear();
        obus.add(&[0x10, 0x30, 9]).unwrap();
        let whole = obus.finish().unwrap().unwrap();
        assert_eq!((whole.payload, whole.layer), (vec![0x12, 0, 0x32, 1, 9], 0));
        let many = [&[0][..], &[1, 0x20].repeat(FRAME_UNITS)].concat();
        for _ in 0..2 {
            obus.add(&many).unwrap();
            obus.clear();
        }
        assert!(obus.finish().unwrap().is_none());
    }

    #[test]
    fn the_first_frame_tells_the_layer_in_a_header_of_its_own_too() {
        assert_eq!(of(&[&[0x10, 0x1c, 0x60, 9]]).unwrap().1, 3);
        // The sequence header, which is of every layer, does not.
        let payloads = [&[0x10, 0x0c, 0x20, 7][..], &[0x10, 0x34, 0x40, 9]];
        assert_eq!(of(&payloads).unwrap().1, 2);
    }
}
