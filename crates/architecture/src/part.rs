//! The parts that layers and st-networks are made of: for each its tensors by name and shape, and what it computes.

/// What a parameter is to an optimiser: the reference decays gains alone in image RealNVPs (models.md 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The length of a weight-normalised direction, or the scale of a coupling's log-scale (`weight_g`).
    Gain,
    /// Every other trained value.
    Weight,
    /// A running statistic of batch normalisation, its counter included.
    Statistic,
    /// A value that is drawn once and never trained, or a mark.
    Constant,
}

impl Role {
    /// Whether training changes it by a gradient.
    #[must_use]
    pub fn is_trained(self) -> bool {
        match self {
            Self::Gain | Self::Weight => true,
            Self::Statistic | Self::Constant => false,
        }
    }
}

/// One tensor of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorShape {
    /// The full name, segments separated by full stops.
    pub name: String,
    /// The sizes; none for a single value.
    pub shape: Vec<i64>,
    /// What it is to an optimiser.
    pub role: Role,
}

/// A part of a layer or of an st-network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The full name, segments separated by full stops; the names of its tensors start with it.
    pub name: String,
    /// What it is.
    pub kind: PartKind,
    /// At how many places of one example it is applied: output pixels of a convolution, 1 for a vector.
    pub positions: i64,
}

/// The kinds of parts. Sizes are positive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// Batch normalisation with scale and shift (Ioffe and Szegedy 2015).
    BatchNorm {
        /// Its channels.
        channels: i64,
    },
    /// A convolution with a weight-normalised kernel (Salimans and Kingma 2016, equation 2).
    WeightNormConvolution {
        /// Input channels.
        inputs: i64,
        /// Output channels.
        outputs: i64,
        /// The side of the kernel.
        size: i64,
        /// Whether it adds a constant per output channel.
        bias: bool,
    },
    /// A plain convolution with a bias.
    Convolution {
        /// Input channels.
        inputs: i64,
        /// Output channels.
        outputs: i64,
        /// The side of the kernel.
        size: i64,
    },
    /// A transposed convolution with a bias; its positions are those of the input.
    TransposedConvolution {
        /// Input channels.
        inputs: i64,
        /// Output channels.
        outputs: i64,
        /// The side of the kernel.
        size: i64,
    },
    /// A linear map with a bias.
    Linear {
        /// Input numbers.
        inputs: i64,
        /// Output numbers.
        outputs: i64,
    },
    /// The learned scale of an affine coupling's log-scale, weight-normalised value by value.
    Rescale {
        /// `[c, 1, 1]` or `[d]`.
        shape: Vec<i64>,
    },
    /// Activation normalisation (Kingma and Dhariwal 2018, section 3.1).
    ActNorm {
        /// Its channels.
        channels: i64,
    },
    /// A square matrix over channels.
    ChannelMatrix {
        /// Its channels.
        channels: i64,
    },
    /// A matrix over channels as P L (U + diag(s)) (Kingma and Dhariwal 2018, equation 10).
    ChannelLu {
        /// Its channels.
        channels: i64,
    },
    /// A product of Householder reflections of channels (Tomczak and Welling 2016, equation 11).
    ChannelReflections {
        /// Its channels.
        channels: i64,
        /// How many reflections.
        reflections: i64,
    },
}

impl Part {
    /// The part's tensors in the order in which a model lists them: parameters, then the others.
    #[must_use]
    pub fn tensors(&self) -> Vec<TensorShape> {
        use Role::{Constant, Gain, Statistic, Weight};
        let tensor = |name: &str, shape: &[i64], role| TensorShape {
            name: format!("{}.{name}", self.name),
            shape: shape.to_vec(),
            role,
        };
        match &self.kind {
            PartKind::BatchNorm { channels: c } => vec![
                tensor("scale", &[*c], Weight),
                tensor("shift", &[*c], Weight),
                tensor("running_mean", &[*c], Statistic),
                tensor("running_variance", &[*c], Statistic),
                tensor("batches", &[], Statistic),
            ],
            PartKind::WeightNormConvolution { inputs, outputs, size, bias } => {
                let mut tensors = vec![
                    tensor("direction", &[*outputs, *inputs, *size, *size], Weight),
                    tensor("gain", &[*outputs, 1, 1, 1], Gain),
                ];
                tensors.extend(bias.then(|| tensor("bias", &[*outputs], Weight)));
                tensors
            }
            PartKind::Convolution { inputs, outputs, size } => {
                vec![tensor("weight", &[*outputs, *inputs, *size, *size], Weight), tensor("bias", &[*outputs], Weight)]
            }
            PartKind::TransposedConvolution { inputs, outputs, size } => {
                vec![tensor("weight", &[*inputs, *outputs, *size, *size], Weight), tensor("bias", &[*outputs], Weight)]
            }
            PartKind::Linear { inputs, outputs } => {
                vec![tensor("weight", &[*outputs, *inputs], Weight), tensor("bias", &[*outputs], Weight)]
            }
            PartKind::Rescale { shape } => vec![tensor("gain", shape, Gain), tensor("direction", shape, Weight)],
            PartKind::ActNorm { channels: c } => vec![
                tensor("shift", &[1, *c, 1, 1], Weight),
                tensor("log_scale", &[1, *c, 1, 1], Weight),
                tensor("initialised", &[], Constant),
            ],
            PartKind::ChannelMatrix { channels: c } => vec![tensor("weight", &[*c, *c], Weight)],
            PartKind::ChannelLu { channels: c } => vec![
                tensor("lower", &[*c, *c], Weight),
                tensor("upper", &[*c, *c], Weight),
                tensor("log_diagonal", &[*c], Weight),
                tensor("permutation", &[*c, *c], Constant),
                tensor("sign", &[*c], Constant),
            ],
            PartKind::ChannelReflections { channels, reflections } => {
                vec![tensor("vectors", &[*reflections, *channels], Weight)]
            }
        }
    }

    /// Multiplications and additions of one example's forward pass in convolutions and matrix products, two for each pair.
    ///
    /// Element-wise work (normalisation, activations, tanh, exp) is left out: a few per cent of any network here.
    #[must_use]
    pub fn flops(&self) -> u64 {
        let factors = match self.kind {
            PartKind::BatchNorm { .. } | PartKind::Rescale { .. } | PartKind::ActNorm { .. } => [0; 4],
            PartKind::WeightNormConvolution { inputs, outputs, size, .. }
            | PartKind::Convolution { inputs, outputs, size }
            | PartKind::TransposedConvolution { inputs, outputs, size } => [inputs, outputs, size, size],
            PartKind::Linear { inputs, outputs } => [inputs, outputs, 1, 1],
            PartKind::ChannelMatrix { channels }
            | PartKind::ChannelLu { channels }
            | PartKind::ChannelReflections { channels, .. } => [channels, channels, 1, 1],
        };
        product(factors.iter().chain(&[2, self.positions]))
    }
}

/// How many values a model has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Trained values that are gains.
    pub gains: u64,
    /// All trained values.
    pub parameters: u64,
    /// Running statistics of batch normalisation, counters included.
    pub statistics: u64,
}

impl Count {
    /// Counts the values of tensors.
    #[must_use]
    pub fn of<'a>(tensors: impl IntoIterator<Item = &'a TensorShape>) -> Self {
        let mut count = Self::default();
        for tensor in tensors {
            let values = product(&tensor.shape);
            match tensor.role {
                Role::Gain => count.gains = count.gains.saturating_add(values),
                Role::Weight | Role::Constant => {}
                Role::Statistic => count.statistics = count.statistics.saturating_add(values),
            }
            if tensor.role.is_trained() {
                count.parameters = count.parameters.saturating_add(values);
            }
        }
        count
    }
}

/// The product of sizes, none of them negative; the largest number where it is larger.
fn product<'a>(sizes: impl IntoIterator<Item = &'a i64>) -> u64 {
    sizes.into_iter().fold(1, |product: u64, size| product.saturating_mul(size.unsigned_abs()))
}
