//! From the description of a flow to its tensors.

use architecture::{
    Architecture, Coupling as CouplingPlan, Layer, LayerKind, Mask, Misfit, PointwiseConvolution as MatrixPlan,
    SplitPrior, Squeeze as SqueezePlan,
};
use tch::{Device, Kind};

use super::Flow;
use crate::arithmetic::Arithmetic;
use crate::conditioners;
use crate::layers::pointwise::{FullMatrix, LuMatrix, Reflections};
use crate::layers::{
    ActNorm, Coupling, HaarSqueeze, LearnedPrior, MultiScale, PointwiseConvolution, Squeeze, Stage, Tiled, coupling,
};
use crate::masks::Factors;
use crate::memory_order::MemoryOrder;
use crate::parameters::{ParameterBuilder, Scope};

/// Why a description could not be built.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// It is no flow.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// A kind other than single or double precision.
    #[error("flows compute in Float or Double, not {0:?}")]
    Kind(Kind),
}

impl Flow {
    /// Builds the flow with weights drawn by `seed`.
    ///
    /// # Errors
    /// The description does not fit together, or `kind` is neither single nor double precision; nothing was allocated.
    pub fn build(architecture: &Architecture, seed: u64, kind: Kind, device: Device) -> Result<Self, BuildError> {
        Self::build_rounding(architecture, seed, kind, device, Arithmetic::Full)
    }

    /// As [`build`](Self::build), with st-networks that round as `arithmetic` does.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub fn build_rounding(
        architecture: &Architecture,
        seed: u64,
        kind: Kind,
        device: Device,
        arithmetic: Arithmetic,
    ) -> Result<Self, BuildError> {
        let builder = ParameterBuilder::new(seed, kind, device).with_arithmetic(arithmetic);
        Self::assemble(architecture, builder, kind)
    }

    /// As [`build`](Self::build), with activations of st-networks in `memory_order`.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub fn build_in_order(
        architecture: &Architecture,
        seed: u64,
        kind: Kind,
        device: Device,
        memory_order: MemoryOrder,
    ) -> Result<Self, BuildError> {
        let builder = ParameterBuilder::new(seed, kind, device).with_memory_order(memory_order);
        Self::assemble(architecture, builder, kind)
    }

    fn assemble(architecture: &Architecture, mut builder: ParameterBuilder, kind: Kind) -> Result<Self, BuildError> {
        architecture.check()?;
        if !matches!(kind, Kind::Float | Kind::Double) {
            return Err(BuildError::Kind(kind));
        }
        let (mut stages, mut shapes) = (Vec::new(), Vec::new());
        for layer in &architecture.layers {
            add_stages(&mut builder.root().enter(&layer.name), layer, &mut |stage| {
                stages.push(stage);
                shapes.push(layer.input.clone());
            });
        }
        shapes.push(architecture.layers.last().map_or_else(|| architecture.input.sizes(), Layer::output));
        let chain = MultiScale::new(stages, shapes);
        Ok(Self { architecture: architecture.clone(), chain, parameters: builder.finish() })
    }
}

fn add_stages(scope: &mut Scope<'_>, layer: &Layer, push: &mut dyn FnMut(Stage)) {
    let name = layer.name.as_str();
    let channels = layer.input[0];
    match &layer.kind {
        LayerKind::Coupling(plan) => push(coupling_stage(scope, name, plan, &layer.input)),
        LayerKind::ActNorm => push(Stage::layer(name, ActNorm::new(scope, channels))),
        LayerKind::PointwiseConvolution(plan) => push(Stage::layer(
            name,
            match plan {
                MatrixPlan::Full => PointwiseConvolution::new(FullMatrix::new(scope, channels)),
                MatrixPlan::Lu => PointwiseConvolution::new(LuMatrix::new(scope, channels)),
                MatrixPlan::Householder { reflections } => {
                    let reflections = reflections.map_or(channels, i64::from);
                    PointwiseConvolution::new(Reflections::new(scope, channels, reflections))
                }
            },
        )),
        LayerKind::Squeeze(SqueezePlan::Pixels) => push(Stage::layer(name, Squeeze)),
        LayerKind::Squeeze(SqueezePlan::Haar) => push(Stage::layer(name, HaarSqueeze)),
        LayerKind::Factor { keep, prior } => {
            if *prior == SplitPrior::Learned {
                push(Stage::layer(name, LearnedPrior::new(scope, channels, *keep)));
            }
            push(Stage::Factor { keep: *keep });
        }
    }
}

fn coupling_stage(scope: &mut Scope<'_>, name: &str, plan: &CouplingPlan, input: &[i64]) -> Stage {
    let (kind, device) = scope.options();
    let shape = plan.network_shape(input);
    let network = conditioners::build(&mut scope.enter("network"), &plan.network, shape);
    let changing = shape.outputs / plan.transform.outputs();
    let map = coupling::map(scope, plan.transform, changing, input.len() == 1);
    match plan.mask {
        Mask::Channels(order) => Stage::layer(name, Coupling::over_channels(order, network, map)),
        Mask::Features(order) => {
            let factors = Factors::of_features(order, shape.inputs, kind, device);
            Stage::layer(name, Coupling::masked(factors, network, map))
        }
        mask @ Mask::SubQuadrants { factor, .. } => {
            let factors = Factors::of_pixels(mask, shape.size, kind, device);
            Stage::layer(name, Tiled::new(factor.into(), Coupling::masked(factors, network, map)))
        }
        mask => {
            let factors = Factors::of_pixels(mask, shape.size, kind, device);
            Stage::layer(name, Coupling::masked(factors, network, map))
        }
    }
}
