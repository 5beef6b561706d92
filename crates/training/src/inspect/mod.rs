//! Pictures of what a flow learned (reference section 6): latents, coupling layers and samples, as PNG files.
//!
//! Values leave the tensors in [`capture`]; from there on they are plain [`field`]s that become colours in a [`view`], figures in a
//! [`panel`] and one page in a [`sheet`].

mod canvas;
mod capture;
mod colour;
mod encode;
mod field;
mod label;
mod panel;
mod pictures;
mod run;
mod sampling;
mod sheet;
mod view;

pub use run::{InspectOutcome, InspectRequest, SavedPicture, inspect};
