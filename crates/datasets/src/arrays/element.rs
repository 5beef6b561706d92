//! The elements of an array: which types are read, and how their bytes become numbers.

use std::fmt;

use half::f16;
use safetensors::Dtype;

/// The type of an array's elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// Unsigned bytes.
    Byte,
    /// Half, single or double precision.
    Float {
        /// Size in bytes: 2, 4 or 8.
        bytes: usize,
        /// Whether the most significant byte comes first.
        big_endian: bool,
    },
    /// Whole numbers: labels, and nothing else.
    Integer {
        /// Size in bytes: 1, 2, 4 or 8.
        bytes: usize,
        /// Whether there are negative ones.
        signed: bool,
        /// Whether the most significant byte comes first.
        big_endian: bool,
    },
    /// A type that is not read, by its name in the file.
    Other(String),
}

impl Element {
    /// The type that a NumPy description such as `<f4` stands for.
    pub fn of_npy(description: &str) -> Self {
        let float = |bytes, big_endian| Self::Float { bytes, big_endian };
        let integer = |bytes, signed, big_endian| Self::Integer { bytes, signed, big_endian };
        match description {
            "|u1" | "u1" | "<u1" | ">u1" => Self::Byte,
            "<f2" => float(2, false),
            ">f2" => float(2, true),
            "<f4" => float(4, false),
            ">f4" => float(4, true),
            "<f8" => float(8, false),
            ">f8" => float(8, true),
            "|i1" | "i1" | "<i1" | ">i1" => Self::Integer { bytes: 1, signed: true, big_endian: false },
            "<u2" => integer(2, false, false),
            ">u2" => integer(2, false, true),
            "<u4" => integer(4, false, false),
            ">u4" => integer(4, false, true),
            "<u8" => integer(8, false, false),
            ">u8" => integer(8, false, true),
            "<i2" => integer(2, true, false),
            ">i2" => integer(2, true, true),
            "<i4" => integer(4, true, false),
            ">i4" => integer(4, true, true),
            "<i8" => integer(8, true, false),
            ">i8" => integer(8, true, true),
            other => Self::Other(other.chars().take(60).flat_map(char::escape_default).collect()),
        }
    }

    /// The type of a safetensors tensor.
    pub fn of_safetensors(dtype: Dtype) -> Self {
        let float = |bytes| Self::Float { bytes, big_endian: false };
        let integer = |bytes, signed| Self::Integer { bytes, signed, big_endian: false };
        match dtype {
            Dtype::U8 => Self::Byte,
            Dtype::F16 => float(2),
            Dtype::F32 => float(4),
            Dtype::F64 => float(8),
            Dtype::I8 => integer(1, true),
            Dtype::I16 => integer(2, true),
            Dtype::I32 => integer(4, true),
            Dtype::I64 => integer(8, true),
            Dtype::U16 => integer(2, false),
            Dtype::U32 => integer(4, false),
            Dtype::U64 => integer(8, false),
            other => Self::Other(format!("{other:?}")),
        }
    }

    /// Size of one element in bytes; none for a type that is not read.
    pub fn bytes(&self) -> Option<usize> {
        match self {
            Self::Byte => Some(1),
            Self::Float { bytes, .. } | Self::Integer { bytes, .. } => Some(*bytes),
            Self::Other(_) => None,
        }
    }

    /// The number that some bytes of this type stand for.
    pub fn number(&self, bytes: &[u8]) -> f64 {
        match self {
            Self::Byte => f64::from(bytes[0]),
            Self::Float { big_endian, .. } => {
                let mut ordered = [0; 8];
                let ordered = &mut ordered[..bytes.len()];
                ordered.copy_from_slice(bytes);
                if *big_endian {
                    ordered.reverse();
                }
                little_endian(ordered)
            }
            Self::Integer { signed, big_endian, .. } => whole_number(bytes, *signed, *big_endian),
            Self::Other(_) => f64::NAN,
        }
    }
}

/// Rounded where double precision cannot hold it.
fn whole_number(bytes: &[u8], signed: bool, big_endian: bool) -> f64 {
    let append = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
    let number = if big_endian { bytes.iter().fold(0, append) } else { bytes.iter().rev().fold(0, append) };
    let unused = 64 - 8 * bytes.len() as u32;
    if signed { ((number << unused) as i64 >> unused) as f64 } else { number as f64 }
}

fn little_endian(bytes: &[u8]) -> f64 {
    match *bytes {
        [a, b] => f16::from_le_bytes([a, b]).to_f64(),
        [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => f64::NAN,
    }
}

impl fmt::Display for Element {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte => formatter.write_str("uint8"),
            Self::Float { bytes, .. } => write!(formatter, "float{}", 8 * bytes),
            Self::Integer { bytes, signed, .. } => {
                write!(formatter, "{}int{}", if *signed { "" } else { "u" }, 8 * bytes)
            }
            Self::Other(name) => formatter.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_float_is_read_in_both_byte_orders() {
        let value = -2.5_f64;

        assert_eq!(Element::of_npy("<f8").number(&value.to_le_bytes()), value);
        assert_eq!(Element::of_npy(">f8").number(&value.to_be_bytes()), value);
        assert_eq!(Element::of_npy("<f4").number(&(value as f32).to_le_bytes()), value);
        assert_eq!(Element::of_npy(">f4").number(&(value as f32).to_be_bytes()), value);
        assert_eq!(Element::of_npy("<f2").number(&f16::from_f64(value).to_le_bytes()), value);
        assert_eq!(Element::of_npy(">f2").number(&f16::from_f64(value).to_be_bytes()), value);
    }

    #[test]
    fn other_types_keep_their_names() {
        assert_eq!(Element::of_npy("<i8").to_string(), "int64");
        assert_eq!(Element::of_npy("<c8").to_string(), "<c8");
        assert_eq!(Element::of_safetensors(Dtype::BF16).to_string(), "BF16");
        assert_eq!(Element::of_npy("<f4").to_string(), "float32");
    }
}
