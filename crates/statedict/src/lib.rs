//! Files of named tensors: PyTorch's `.pt` and `.pth` in both their formats, and safetensors, read and written.
//!
//! Needs no libtorch and never runs what a file says: a pickle is a program for a stack machine, and the machine here
//! knows only the names that a state dict is built from. Whatever a file asks for is checked against its size and the
//! caller's [`Limits`] before memory is taken.
//!
//! ```no_run
//! use statedict::pt::{self, Wrapping};
//! use statedict::{Limits, read};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let contents = read("epoch_100.pt".as_ref(), &Limits::of_bytes(4 << 30))?;
//! println!("{} tensors, {} numbers", contents.state_dict.len(), contents.state_dict.elements());
//! pt::write_file("weights.pt".as_ref(), &contents.state_dict, Wrapping::Under("net"))?;
//! # Ok(())
//! # }
//! ```

mod contents;
mod element;
mod limits;
mod pickle;
pub mod pt;
mod read;
pub mod safetensors;
mod state_dict;
mod tensor;
mod values;
mod whole_file;

pub use contents::{Contents, Format};
pub use element::ElementType;
pub use limits::Limits;
pub use pickle::{Fault, PickleError};
pub use read::{Cause, ReadError, read, read_from};
pub use state_dict::{DuplicateName, StateDict};
pub use tensor::{Tensor, WrongSize};
pub use values::{Inexact, Rounding};
