//! Element types: which there are, how many bytes each takes, and what other formats call them.

use std::fmt;

use ::safetensors::Dtype;

/// The type of a tensor's elements. Elements are little-endian in memory and in every file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElementType {
    /// One byte, 0 or 1.
    Bool,
    /// Unsigned, 8 bits.
    U8,
    /// Signed, 8 bits.
    I8,
    /// Signed, 16 bits.
    I16,
    /// Signed, 32 bits.
    I32,
    /// Signed, 64 bits.
    I64,
    /// IEEE 754 half precision.
    F16,
    /// The upper half of a single-precision number.
    BF16,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
}

/// Each type with its name in PyTorch's storages and in safetensors.
const NAMES: [(ElementType, &str, Dtype); 10] = [
    (ElementType::Bool, "BoolStorage", Dtype::BOOL),
    (ElementType::U8, "ByteStorage", Dtype::U8),
    (ElementType::I8, "CharStorage", Dtype::I8),
    (ElementType::I16, "ShortStorage", Dtype::I16),
    (ElementType::I32, "IntStorage", Dtype::I32),
    (ElementType::I64, "LongStorage", Dtype::I64),
    (ElementType::F16, "HalfStorage", Dtype::F16),
    (ElementType::BF16, "BFloat16Storage", Dtype::BF16),
    (ElementType::F32, "FloatStorage", Dtype::F32),
    (ElementType::F64, "DoubleStorage", Dtype::F64),
];

impl ElementType {
    /// Bytes of one element.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::I16 | Self::F16 | Self::BF16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    /// The type of a storage class of PyTorch's, `FloatStorage` say.
    pub(crate) fn of_storage_class(class: &str) -> Option<Self> {
        NAMES.iter().find(|(_, storage, _)| *storage == class).map(|(element, _, _)| *element)
    }

    /// The storage class of PyTorch's that holds such elements.
    pub(crate) fn storage_class(self) -> &'static str {
        self.names().1
    }

    /// The type of that name in safetensors.
    pub(crate) fn of_dtype(dtype: Dtype) -> Option<Self> {
        NAMES.iter().find(|(_, _, known)| *known == dtype).map(|(element, _, _)| *element)
    }

    /// Its name in safetensors.
    pub(crate) fn dtype(self) -> Dtype {
        self.names().2
    }

    fn names(self) -> &'static (Self, &'static str, Dtype) {
        NAMES.iter().find(|(element, _, _)| *element == self).expect("the table has a row for every element type")
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bool => "bool",
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}
