//! RealNVP and its single-scale variants with other masks (reference sections 2.5 and 2.7).

use tch::{Device, Kind};

use crate::conditioners::Conditioner;
use crate::conditioners::resnet::{InputDensity, Normalisation, Resnet, ResnetShape, Skip};
use crate::flow::{Flow, Preprocessing};
use crate::layers::{Coupling, MultiScale, Squeeze, Stage};
use crate::masks::{Parity, Quadrant, SpatialMask};
use crate::parameters::{ParameterBuilder, Scope};

/// A RealNVP over images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealNvp {
    /// The shape `[c, h, w]` of an image.
    pub input: [i64; 3],
    /// The masks of the couplings.
    pub mask: MaskScheme,
    /// The number of scales: more than one with [`MaskScheme::Checkerboard`] is the multi-scale RealNVP, which has
    /// three checkerboard and three channel-wise couplings per scale and four checkerboards in the last.
    pub scales: u32,
    /// The number of couplings of a single-scale stack; a multi-scale flow's couplings follow from its scales.
    pub couplings: u32,
    /// The network of each coupling.
    pub st_network: StNetwork,
    /// What happens before the first coupling.
    pub preprocessing: Preprocessing,
}

/// Which parts of the image take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskScheme {
    /// Every second pixel.
    Checkerboard,
    /// Top and bottom half.
    Horizontal,
    /// Quadrants: each coupling reads one and changes the next, clockwise.
    Cycle,
}

/// The architecture of the st-networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StNetwork {
    /// Residual blocks of weight-normalised convolutions.
    Resnet {
        /// The hidden channels; a multi-scale flow doubles them at every squeeze.
        width: i64,
        /// The number of residual blocks.
        blocks: i64,
        /// Whether activations are batch-normalised.
        batch_norm: bool,
        /// Whether every block is connected to the output layer.
        skip: bool,
    },
}

/// Why a recipe describes no flow.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// A side of the input is not positive.
    #[error("the input shape {0:?} must be channels, height and width of at least 1, 2 and 2")]
    Input([i64; 3]),
    /// There is no scale.
    #[error("scales must be at least 1")]
    NoScale,
    /// There is no coupling.
    #[error("couplings must be at least 1")]
    NoCoupling,
    /// A mask that exists on one scale only.
    #[error("the {mask:?} mask has one scale, not {scales}: set scales to 1")]
    SingleScaleMask {
        /// The mask.
        mask: MaskScheme,
        /// The scales asked for.
        scales: u32,
    },
    /// An odd image cannot be squeezed.
    #[error(
        "scale {scale} of {scales} has images of {height}x{width} pixels, which cannot be halved: use at most {scale} scales"
    )]
    OddSide {
        /// The scale, counted from 1.
        scale: u32,
        /// The scales asked for.
        scales: u32,
        /// The height at that scale.
        height: i64,
        /// The width at that scale.
        width: i64,
    },
    /// The network has no channel.
    #[error("the st-network's width must be at least 1, not {0}")]
    Width(i64),
    /// The network has a negative number of blocks.
    #[error("the st-network's blocks must be at least 0, not {0}")]
    Blocks(i64),
    /// A kind other than single or double precision.
    #[error("flows compute in Float or Double, not {0:?}")]
    Kind(Kind),
}

impl RealNvp {
    /// Builds the flow with weights drawn by `seed`.
    ///
    /// Fails if the recipe describes no flow, before anything is allocated.
    pub fn build(&self, seed: u64, kind: Kind, device: Device) -> Result<Flow, RecipeError> {
        self.check()?;
        if !matches!(kind, Kind::Float | Kind::Double) {
            return Err(RecipeError::Kind(kind));
        }
        let mut builder = ParameterBuilder::new(seed, kind, device);
        let mut assembly =
            Assembly { scope: builder.root(), st_network: self.st_network, stages: Vec::new(), count: 0 };
        if self.scales > 1 {
            assembly.add_scales(self.input, self.scales);
        } else {
            assembly.add_stack(self.input, self.mask, self.couplings);
        }
        let chain = MultiScale::new(self.input, assembly.stages);
        Ok(Flow::new(self.input, self.preprocessing, chain, builder.finish()))
    }

    /// Checks the recipe without building anything.
    pub fn check(&self) -> Result<(), RecipeError> {
        let [channels, height, width] = self.input;
        if channels < 1 || height < 2 || width < 2 {
            return Err(RecipeError::Input(self.input));
        }
        if self.scales < 1 {
            return Err(RecipeError::NoScale);
        }
        if self.scales == 1 && self.couplings < 1 {
            return Err(RecipeError::NoCoupling);
        }
        if self.scales > 1 && self.mask != MaskScheme::Checkerboard {
            return Err(RecipeError::SingleScaleMask { mask: self.mask, scales: self.scales });
        }
        let (mut rows, mut columns) = (height, width);
        for scale in 1..self.scales {
            if rows % 2 != 0 || columns % 2 != 0 {
                return Err(RecipeError::OddSide { scale, scales: self.scales, height: rows, width: columns });
            }
            (rows, columns) = (rows / 2, columns / 2);
        }
        let StNetwork::Resnet { width, blocks, .. } = self.st_network;
        if width < 1 {
            return Err(RecipeError::Width(width));
        }
        if blocks < 0 {
            return Err(RecipeError::Blocks(blocks));
        }
        Ok(())
    }
}

/// The stages gathered so far; couplings are numbered from 0 through the whole flow.
struct Assembly<'a> {
    scope: Scope<'a>,
    st_network: StNetwork,
    stages: Vec<Stage>,
    count: u32,
}

impl Assembly<'_> {
    /// Couplings on one scale that take turns.
    fn add_stack(&mut self, [channels, height, width]: [i64; 3], scheme: MaskScheme, couplings: u32) {
        for position in 0..couplings {
            let mask = match scheme {
                MaskScheme::Checkerboard => SpatialMask::Checkerboard(Parity::of_position(position)),
                MaskScheme::Horizontal => SpatialMask::Horizontal(Parity::of_position(position)),
                MaskScheme::Cycle => SpatialMask::Cycle(Quadrant::CLOCKWISE[position as usize % 4]),
            };
            self.add_pixel_coupling(mask, channels, [height, width], 1);
        }
    }

    /// The multi-scale RealNVP: half of the channels leave after each scale, and the networks double their width.
    fn add_scales(&mut self, input: [i64; 3], scales: u32) {
        let [mut channels, mut height, mut width] = input;
        let mut widening = 1;
        for scale in 0..scales {
            let last = scale + 1 == scales;
            let checkerboards = if last { 4 } else { 3 };
            for position in 0..checkerboards {
                let mask = SpatialMask::Checkerboard(Parity::of_position(position));
                self.add_pixel_coupling(mask, channels, [height, width], widening);
            }
            if last {
                return;
            }
            self.stages.push(Stage::layer(format!("squeeze.{scale}"), Squeeze));
            (channels, height, width) = (4 * channels, height / 2, width / 2);
            widening *= 2;
            for position in 0..3 {
                self.add_channel_coupling(Parity::of_position(position), channels, widening);
            }
            channels /= 2;
            self.stages.push(Stage::Factor { keep: channels });
        }
    }

    fn add_pixel_coupling(&mut self, mask: SpatialMask, channels: i64, size: [i64; 2], widening: i64) {
        let density = match mask {
            SpatialMask::Checkerboard(_) => InputDensity::Half,
            SpatialMask::Horizontal(_) | SpatialMask::Cycle(_) => InputDensity::Full,
        };
        let name = self.next_name();
        let mut scope = self.scope.enter(&name);
        let network = build_network(&mut scope.enter("network"), self.st_network, channels, density, widening);
        let coupling = Coupling::over_pixels(&mut scope, mask, channels, size, network);
        self.stages.push(Stage::layer(name, coupling));
    }

    fn add_channel_coupling(&mut self, parity: Parity, channels: i64, widening: i64) {
        let name = self.next_name();
        let mut scope = self.scope.enter(&name);
        let density = InputDensity::Full;
        let network = build_network(&mut scope.enter("network"), self.st_network, channels / 2, density, widening);
        let coupling = Coupling::over_channels(&mut scope, parity, channels, network);
        self.stages.push(Stage::layer(name, coupling));
    }

    fn next_name(&mut self) -> String {
        let name = format!("couplings.{}", self.count);
        self.count += 1;
        name
    }
}

fn build_network(
    scope: &mut Scope<'_>,
    st_network: StNetwork,
    channels: i64,
    density: InputDensity,
    widening: i64,
) -> Box<dyn Conditioner> {
    match st_network {
        StNetwork::Resnet { width, blocks, batch_norm, skip } => {
            let shape = ResnetShape {
                width: width * widening,
                blocks,
                normalisation: if batch_norm { Normalisation::Batch } else { Normalisation::None },
                skip: if skip { Skip::EveryBlock } else { Skip::None },
            };
            Box::new(Resnet::new(scope, channels, density, shape))
        }
    }
}
