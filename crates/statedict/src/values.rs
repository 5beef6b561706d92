//! Tensors from numbers and numbers from tensors: exactly, or rounded where the caller asks for it.

use half::{bf16, f16};
use thiserror::Error;

use crate::element::ElementType;
use crate::tensor::{Tensor, WrongSize};

/// What to do with an element that the wanted type cannot hold exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Refuse the conversion.
    Refuse,
    /// Take the nearest number. Beyond the wanted type's range, and not-a-number as an integer, is refused still.
    Nearest,
}

/// An element that the wanted type cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("tensor {tensor:?}, element {index}: the {from} number {value} has no equal among {wanted} numbers; {remedy}")]
pub struct Inexact {
    /// The tensor.
    pub tensor: String,
    /// The element's place in row-major order.
    pub index: usize,
    /// The tensor's element type.
    pub from: ElementType,
    /// The element as text.
    pub value: String,
    /// The wanted type.
    pub wanted: ElementType,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Tensor {
    /// A tensor of single-precision numbers in row-major order.
    ///
    /// # Errors
    /// [`WrongSize`], if the shape asks for another number of them.
    pub fn of_f32(name: impl Into<String>, shape: Vec<usize>, values: &[f32]) -> Result<Self, WrongSize> {
        Self::new(name, ElementType::F32, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// A tensor of double-precision numbers in row-major order.
    ///
    /// # Errors
    /// [`WrongSize`], if the shape asks for another number of them.
    pub fn of_f64(name: impl Into<String>, shape: Vec<usize>, values: &[f64]) -> Result<Self, WrongSize> {
        Self::new(name, ElementType::F64, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// A tensor of 64-bit integers in row-major order.
    ///
    /// # Errors
    /// [`WrongSize`], if the shape asks for another number of them.
    pub fn of_i64(name: impl Into<String>, shape: Vec<usize>, values: &[i64]) -> Result<Self, WrongSize> {
        Self::new(name, ElementType::I64, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// Its elements in single precision.
    ///
    /// # Errors
    /// [`Inexact`]: the first element that cannot be held, under the rule given.
    pub fn to_f32(&self, rounding: Rounding) -> Result<Vec<f32>, Inexact> {
        self.convert(ElementType::F32, |number| narrow(number, rounding))
    }

    /// Its elements in double precision. Only integers beyond 2^53 may need rounding.
    ///
    /// # Errors
    /// [`Inexact`]: the first element that cannot be held, under the rule given.
    pub fn to_f64(&self, rounding: Rounding) -> Result<Vec<f64>, Inexact> {
        self.convert(ElementType::F64, |number| match number {
            Number::Float(value) => Some(value),
            Number::Integer(value) => {
                let nearest = value as f64;
                (rounding == Rounding::Nearest || nearest as i128 == i128::from(value)).then_some(nearest)
            }
        })
    }

    /// Its elements as integers; false is 0 and true is 1. A half goes to the even neighbour.
    ///
    /// # Errors
    /// [`Inexact`]: the first element that cannot be held, under the rule given.
    pub fn to_i64(&self, rounding: Rounding) -> Result<Vec<i64>, Inexact> {
        self.convert(ElementType::I64, |number| match number {
            Number::Integer(value) => Some(value),
            Number::Float(value) => {
                let nearest = value.round_ties_even();
                // 2^63 itself is beyond i64.
                let fits = (-(2_f64.powi(63))..2_f64.powi(63)).contains(&nearest);
                (fits && (rounding == Rounding::Nearest || nearest == value)).then_some(nearest as i64)
            }
        })
    }

    fn convert<T>(&self, wanted: ElementType, hold: impl Fn(Number) -> Option<T>) -> Result<Vec<T>, Inexact> {
        let numbers = self.bytes().chunks_exact(self.element().bytes()).map(|bytes| Number::of(self.element(), bytes));
        let held = numbers.enumerate().map(|(index, number)| {
            hold(number).ok_or_else(|| Inexact {
                tensor: self.name().to_owned(),
                index,
                from: self.element(),
                value: number.to_text(),
                wanted,
                remedy: "ask for the nearest, or for a wider type if even that is out of its range",
            })
        });
        held.collect()
    }
}

/// An element of any type, held exactly.
#[derive(Debug, Clone, Copy)]
enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    /// Reads one element from exactly its bytes.
    fn of(element: ElementType, bytes: &[u8]) -> Self {
        match element {
            ElementType::Bool => Self::Integer(i64::from(bytes[0] != 0)),
            ElementType::U8 => Self::Integer(i64::from(bytes[0])),
            ElementType::I8 => Self::Integer(i64::from(i8::from_le_bytes(array(bytes)))),
            ElementType::I16 => Self::Integer(i64::from(i16::from_le_bytes(array(bytes)))),
            ElementType::I32 => Self::Integer(i64::from(i32::from_le_bytes(array(bytes)))),
            ElementType::I64 => Self::Integer(i64::from_le_bytes(array(bytes))),
            ElementType::F16 => Self::Float(f16::from_le_bytes(array(bytes)).to_f64()),
            ElementType::BF16 => Self::Float(bf16::from_le_bytes(array(bytes)).to_f64()),
            ElementType::F32 => Self::Float(f64::from(f32::from_le_bytes(array(bytes)))),
            ElementType::F64 => Self::Float(f64::from_le_bytes(array(bytes))),
        }
    }

    fn to_text(self) -> String {
        match self {
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => format!("{value:e}"),
        }
    }
}

fn narrow(number: Number, rounding: Rounding) -> Option<f32> {
    let (nearest, exact) = match number {
        Number::Integer(value) => (value as f32, value as f32 as i128 == i128::from(value)),
        Number::Float(value) => (value as f32, value.is_nan() || f64::from(value as f32) == value),
    };
    let overflows = !exact && nearest.is_infinite();
    (exact || (rounding == Rounding::Nearest && !overflows)).then_some(nearest)
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("an element has as many bytes as its type says")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_f64(values: &[f64]) -> Tensor {
        Tensor::of_f64("x", vec![values.len()], values).unwrap()
    }

    fn of_i64(values: &[i64]) -> Tensor {
        Tensor::of_i64("n", vec![values.len()], values).unwrap()
    }

    #[test]
    fn numbers_that_fit_pass_unchanged() {
        let floats = of_f64(&[0.5, -2.0, f64::INFINITY]);
        let half = Tensor::new("h", ElementType::F16, vec![2], vec![0x00, 0x3c, 0x01, 0x00]).unwrap();
        let brain = Tensor::new("b", ElementType::BF16, vec![1], vec![0x49, 0x40]).unwrap();
        let flags = Tensor::new("f", ElementType::Bool, vec![2], vec![1, 0]).unwrap();

        assert_eq!(floats.to_f32(Rounding::Refuse).unwrap(), [0.5, -2.0, f32::INFINITY]);
        assert_eq!(half.to_f32(Rounding::Refuse).unwrap(), [1.0, 2_f32.powi(-24)]);
        assert_eq!(brain.to_f64(Rounding::Refuse).unwrap(), [3.140625]);
        assert_eq!(flags.to_i64(Rounding::Refuse).unwrap(), [1, 0]);
        assert_eq!(of_f64(&[-3.0]).to_i64(Rounding::Refuse).unwrap(), [-3]);
        assert!(of_f64(&[f64::NAN]).to_f32(Rounding::Refuse).unwrap()[0].is_nan());
    }

    #[test]
    fn tensor_made_of_numbers_gives_them_back_and_must_fit_its_shape() {
        let tensor = Tensor::of_f32("w", vec![2, 1], &[0.5, -1.5]).unwrap();

        assert_eq!((tensor.element(), tensor.bytes().len()), (ElementType::F32, 8));
        assert_eq!(tensor.to_f32(Rounding::Refuse).unwrap(), [0.5, -1.5]);
        assert!(Tensor::of_i64("n", vec![2], &[1]).is_err());
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused_with_their_place_or_rounded() {
        let refusal = of_f64(&[0.5, 0.1]).to_f32(Rounding::Refuse).unwrap_err();

        assert_eq!((refusal.index, refusal.value.as_str()), (1, "1e-1"));
        assert_eq!(of_f64(&[0.1]).to_f32(Rounding::Nearest).unwrap(), [0.1_f32]);
        assert!(of_i64(&[i64::MAX]).to_f64(Rounding::Refuse).is_err());
        assert_eq!(of_i64(&[i64::MAX]).to_f64(Rounding::Nearest).unwrap(), [2_f64.powi(63)]);
        assert!(of_f64(&[2.5]).to_i64(Rounding::Refuse).is_err());
        assert_eq!(of_f64(&[2.5]).to_i64(Rounding::Nearest).unwrap(), [2]);
    }

    #[test]
    fn rounding_never_turns_a_number_into_infinity_or_nonsense() {
        for beyond in [1e39, -1e300] {
            assert!(of_f64(&[beyond]).to_f32(Rounding::Nearest).is_err(), "{beyond}");
        }
        for beyond in [f64::NAN, f64::INFINITY, 2_f64.powi(63)] {
            assert!(of_f64(&[beyond]).to_i64(Rounding::Nearest).is_err(), "{beyond}");
        }
        assert_eq!(of_f64(&[-(2_f64.powi(63))]).to_i64(Rounding::Refuse).unwrap(), [i64::MIN]);
    }
}
