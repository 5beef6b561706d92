//! Why a pickle is refused, and where.

use thiserror::Error;

/// A pickle that cannot be read as a state dict.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("its pickle, at byte {offset}: {fault}")]
pub struct PickleError {
    /// Where the refused instruction begins: in `data.pkl` of a zip archive, or in the whole of an older file.
    pub offset: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

impl PickleError {
    /// The same in a file where the pickle begins `start` bytes in.
    pub(crate) fn moved(self, start: usize) -> Self {
        Self { offset: self.offset + start, ..self }
    }
}

/// What is wrong with an instruction of a pickle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// It names something to import that no state dict needs.
    #[error(
        "the file asks for {name}, which a state dict never needs; nothing was run; if the file is trusted, load it in PyTorch and save only model.state_dict()"
    )]
    ForeignName {
        /// Module and name, joined by a dot.
        name: String,
    },
    /// It needs a kind of tensor (sparse, quantised) or an element type (complex, 8-bit float) that is not read.
    #[error(
        "the file needs {name}: a kind of tensor that is not read; make the tensor dense and one of bool, u8, i8 to i64, f16, bf16, f32, f64 in PyTorch and save again"
    )]
    ForeignTensor {
        /// Module and name, joined by a dot.
        name: String,
    },
    /// The instruction is none that a state dict uses.
    #[error("instruction {opcode:#04x} is none that a state dict uses; save with torch.save(model.state_dict(), file)")]
    ForeignInstruction {
        /// The instruction's byte.
        opcode: u8,
    },
    /// The pickle is of a protocol later than 5.
    #[error("pickle protocol {protocol} is unknown (0 to 5 are read); save again with pickle_protocol=2")]
    Protocol {
        /// The protocol it states.
        protocol: u8,
    },
    /// The pickle ends within an instruction.
    #[error("the pickle ends early; the file is truncated or damaged, copy it again")]
    Truncated,
    /// An instruction takes values that are not there or of another kind.
    #[error("{wanted} was expected, {found} found; the file is damaged or not written by torch.save")]
    Mismatch {
        /// What the instruction takes.
        wanted: &'static str,
        /// What it found.
        found: &'static str,
    },
    /// A text is not UTF-8.
    #[error("a text is not UTF-8; the file is damaged or its names are not plain text")]
    Text,
    /// A remembered value is asked for that was never remembered.
    #[error("value {index} is asked for before it is remembered; the file is damaged")]
    Memo {
        /// Its number.
        index: usize,
    },
    /// It pushes or remembers more values than the caller allows.
    #[error("it holds more than {limit} values; save only model.state_dict(), or raise the limit of pickle values")]
    TooManyValues {
        /// The caller's limit.
        limit: usize,
    },
    /// It nests deeper than any state dict.
    #[error("it nests more than {limit} levels deep, as no state dict does; the file is damaged or hostile")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A tensor carries marks (conjugation, negation) that change the meaning of its bytes.
    #[error("a tensor carries {count} lazy marks such as negation; call resolve_neg().resolve_conj() and save again")]
    LazyTensor {
        /// How many.
        count: usize,
    },
}
