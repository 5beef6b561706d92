//! What ties us to the reference implementation (`flows_ood`): its names for our tensors.

pub mod names;
