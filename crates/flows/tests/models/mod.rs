//! The models that several tests build, under the reference's names.

use flows::recipes::{MaskScheme, Preprocessing, RealNvp, StNetwork};

/// The networks of most checks: two residual blocks of width 8.
pub const RESNET: StNetwork = StNetwork::Resnet { width: 8, blocks: 2, batch_norm: true, skip: true };

/// A resnet st-network with batch normalisation and skip connections.
pub fn resnet(width: i64, blocks: i64) -> StNetwork {
    StNetwork::Resnet { width, blocks, batch_norm: true, skip: true }
}

/// The multi-scale `RealNVP`.
pub fn multi_scale(input: [i64; 3], scales: u32, st_network: StNetwork) -> RealNvp {
    let preprocessing = Preprocessing::FlowsOod;
    RealNvp { input, mask: MaskScheme::Checkerboard, scales, couplings: 8, st_network, preprocessing }
}

/// A single-scale stack.
pub fn stack(input: [i64; 3], mask: MaskScheme, couplings: u32, st_network: StNetwork) -> RealNvp {
    RealNvp { input, mask, scales: 1, couplings, st_network, preprocessing: Preprocessing::FlowsOod }
}
