//! What a flow is made of, as plain data: masks, st-networks, layers and the recipes that compose them; with their shapes,
//! every tensor's name and size, parameter counts and FLOPs. Never touches a tensor, so that a coordinator can refuse a
//! model that does not fit its data without the tensor library.

pub mod coupling;
pub mod error;
pub mod flow;
pub mod flows_ood;
pub mod input;
pub mod layer;
pub mod masks;
pub mod part;
pub mod recipes;
pub mod st_network;

pub use coupling::{Coupling, Transform};
pub use error::{Misfit, Place};
pub use flow::{Architecture, Parity};
pub use input::InputShape;
pub use layer::{Layer, LayerKind, PointwiseConvolution, Squeeze};
pub use masks::{Mask, Order, Quadrant};
pub use part::{Count, Part, PartKind, Role, TensorShape};
pub use recipes::{Glow, RealNvp, SplitPrior, Tabular};
pub use st_network::{NetworkShape, StNetwork};
