//! Whole numbers as JSON has them: `5.0` is 5 (JSON Schema, 6.1.1).

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// Reads an optional whole number that is not negative.
pub(crate) fn whole<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let read = Option::<Whole<T>>::deserialize(deserializer)?;
    Ok(read.map(|Whole(number)| number))
}

/// Above this a number may become another on the way: many programs read all of them as floats (RFC 8259, 6).
const EXACT: u64 = (1 << 53) - 1;

struct Whole<T>(T);

impl<'de, T: TryFrom<u64>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Number(PhantomData)).map(Self)
    }
}

struct Number<T>(PhantomData<T>);

impl<T: TryFrom<u64>> Visitor<'_> for Number<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = (8 * size_of::<T>()).min(53);
        write!(f, "a whole number of at most {bits} bits, not negative")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        let read = T::try_from(number).ok().filter(|_| number <= EXACT);
        read.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        match number.fract() == 0.0 && (0.0..=EXACT as f64).contains(&number) {
            true => self.visit_u64(number as u64),
            false => Err(E::invalid_value(Unexpected::Float(number), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Read {
        #[serde(default, deserialize_with = "super::whole")]
        number: Option<u32>,
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let read = |text: &str| {
            let text = format!("{{\"number\":{text}}}");
            serde_json::from_str::<Read>(&text).map(|read| read.number)
        };
        assert_eq!(read("5").unwrap(), Some(5));
        assert_eq!(read("5.0").unwrap(), Some(5));
        assert_eq!(read("5e2").unwrap(), Some(500));
        assert_eq!(read("null").unwrap(), None);
        for wrong in ["5.5", "-1", "-1.0", "4294967296", "1e300", "\"5\"", "true"] {
            let told = read(wrong).unwrap_err().to_string();
            assert!(told.contains("whole number of at most 32 bits"), "{told}");
        }
        assert_eq!(serde_json::from_str::<Read>("{}").unwrap().number, None);
    }
}
