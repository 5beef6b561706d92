//! A pickle read as data: a bounded stack machine that knows the few names a state dict needs and calls nothing.
//!
//! Python's pickles are programs: `GLOBAL` names any importable object and `REDUCE` calls it. Here a name is looked up in
//! a fixed table, and "calling" one of them builds a description. What is not in the table ends the reading.

mod callable;
mod error;
mod machine;
mod opcode;
mod source;
mod step;
mod value;
mod writer;

pub use error::{Fault, PickleError};

pub(crate) use machine::{Pickle, read};
pub(crate) use value::{Object, TensorLayout, Value};
pub(crate) use writer::Writer;
