//! The tensors of a model by name: parameters as views into one flat buffer, so that an optimiser needs a handful of
//! kernels per step, and buffers (running statistics) beside them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tch::{Device, Kind, Tensor, no_grad};

use crate::arithmetic::Arithmetic;
use crate::init::{self, Key};
use crate::memory_order::MemoryOrder;

/// What a parameter is to the optimiser: the reference decays gains only (`weight_g`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The length of a weight-normalised direction, or the scale of a coupling's log-scale.
    Gain,
    /// Everything else.
    Weight,
}

/// A leaf tensor that training changes.
#[derive(Debug)]
pub struct Parameter {
    /// The unique name, segments separated by full stops.
    pub name: String,
    /// The leaf, which requires a gradient; a view into [`ParameterStore::flat`].
    pub tensor: Tensor,
    /// Its part in the optimiser.
    pub role: Role,
}

/// A tensor that belongs to the model's state but has no gradient.
#[derive(Debug)]
pub struct Buffer {
    /// The unique name, segments separated by full stops.
    pub name: String,
    /// The values.
    pub tensor: Tensor,
}

/// Why a state could not be loaded; nothing was changed then.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The model has a tensor that the state lacks.
    #[error("the state lacks {0}: was it saved by a model of the same recipe?")]
    Missing(String),
    /// The state has a tensor that the model lacks.
    #[error("the state holds {0}, which this model does not have: was it saved by a model of the same recipe?")]
    Extra(String),
    /// A name stands twice in the state.
    #[error("the state holds {0} twice")]
    Twice(String),
    /// The shapes differ.
    #[error("{name} has shape {found:?} in the state and {expected:?} in the model")]
    Shape {
        /// The tensor.
        name: String,
        /// The model's shape.
        expected: Vec<i64>,
        /// The state's shape.
        found: Vec<i64>,
    },
}

/// The parameters and buffers of one model, in the order of construction.
#[derive(Debug)]
pub struct ParameterStore {
    parameters: Vec<Parameter>,
    buffers: Vec<Buffer>,
    flat: Tensor,
    loads: Arc<AtomicU64>,
    kind: Kind,
    device: Device,
}

impl ParameterStore {
    /// The parameters, in the order of construction.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The buffers, in the order of construction.
    pub fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    /// All values of one role as one vector `[n]` that shares memory with the parameters, in their order.
    pub fn flat(&self, role: Role) -> Tensor {
        let gains = self.count_of(Role::Gain);
        match role {
            Role::Gain => self.flat.narrow(0, 0, gains),
            Role::Weight => self.flat.narrow(0, gains, self.count_of(Role::Weight)),
        }
    }

    /// All values as one vector `[n]` that shares memory with the parameters: gains, then weights.
    pub fn flat_all(&self) -> Tensor {
        self.flat.shallow_clone()
    }

    /// Every parameter and buffer by name. The tensors share memory with the model: copy before the next step.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let parameters = self.parameters.iter().map(|p| (p.name.clone(), p.tensor.detach()));
        let buffers = self.buffers.iter().map(|b| (b.name.clone(), b.tensor.shallow_clone()));
        parameters.chain(buffers).collect()
    }

    /// Overwrites every parameter and buffer, casting to the model's kind and device.
    ///
    /// Fails, without changing anything, if a name is missing, unknown or repeated or if a shape differs.
    pub fn load(&self, state: &[(String, Tensor)]) -> Result<(), LoadError> {
        let own = self.state();
        let mut given = HashMap::new();
        for (name, tensor) in state {
            if given.insert(name.as_str(), tensor).is_some() {
                return Err(LoadError::Twice(name.clone()));
            }
        }
        for (name, target) in &own {
            let source = given.get(name.as_str()).ok_or_else(|| LoadError::Missing(name.clone()))?;
            if source.size() != target.size() {
                return Err(LoadError::Shape { name: name.clone(), expected: target.size(), found: source.size() });
            }
        }
        let known: HashSet<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
        if let Some((name, _)) = state.iter().find(|(name, _)| !known.contains(name.as_str())) {
            return Err(LoadError::Extra(name.clone()));
        }

        no_grad(|| {
            for (name, mut target) in own {
                target.copy_(given[name.as_str()]);
            }
        });
        self.loads.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// The number of trainable values.
    pub fn count(&self) -> i64 {
        self.count_of(Role::Gain) + self.count_of(Role::Weight)
    }

    /// The number of trainable values of one role.
    pub fn count_of(&self, role: Role) -> i64 {
        self.parameters.iter().filter(|p| p.role == role).map(|p| count_values(&p.tensor)).sum()
    }

    /// The number of values in buffers, counters included.
    pub fn buffer_count(&self) -> i64 {
        self.buffers.iter().map(|b| count_values(&b.tensor)).sum()
    }

    /// The element type of the parameters.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where the parameters live.
    pub fn device(&self) -> Device {
        self.device
    }
}

/// Collects the tensors of a model while its layers are built.
#[derive(Debug)]
pub struct ParameterBuilder {
    seed: u64,
    kind: Kind,
    device: Device,
    arithmetic: Arithmetic,
    memory_order: MemoryOrder,
    loads: Arc<AtomicU64>,
    parameters: Vec<Parameter>,
    buffers: Vec<Buffer>,
}

impl ParameterBuilder {
    /// Starts an empty model whose weights are drawn by `seed`.
    pub fn new(seed: u64, kind: Kind, device: Device) -> Self {
        Self {
            seed,
            kind,
            device,
            arithmetic: Arithmetic::Full,
            memory_order: MemoryOrder::Fastest,
            loads: Arc::new(AtomicU64::new(0)),
            parameters: Vec::new(),
            buffers: Vec::new(),
        }
    }

    /// The same model with st-networks that round as `arithmetic` does.
    #[must_use]
    pub fn with_arithmetic(mut self, arithmetic: Arithmetic) -> Self {
        self.arithmetic = arithmetic;
        self
    }

    /// The same model with activations of st-networks in another order.
    #[must_use]
    pub fn with_memory_order(mut self, memory_order: MemoryOrder) -> Self {
        self.memory_order = memory_order;
        self
    }

    /// The outermost scope, whose names have no prefix.
    pub fn root(&mut self) -> Scope<'_> {
        Scope { builder: self, path: String::new() }
    }

    /// Moves all parameters into one flat buffer, gains first, and closes the model.
    pub fn finish(mut self) -> ParameterStore {
        let flat = no_grad(|| self.flatten());
        ParameterStore {
            parameters: self.parameters,
            buffers: self.buffers,
            flat,
            loads: self.loads,
            kind: self.kind,
            device: self.device,
        }
    }

    /// Re-seats each leaf on its slice of a new vector; clones of the leaf that layers hold follow, since they share
    /// one tensor object.
    fn flatten(&mut self) -> Tensor {
        let (gains, weights): (Vec<_>, Vec<_>) = self.parameters.iter_mut().partition(|p| p.role == Role::Gain);
        let mut ordered: Vec<&mut Parameter> = gains.into_iter().chain(weights).collect();
        let total: i64 = ordered.iter().map(|p| count_values(&p.tensor)).sum();
        let flat = Tensor::zeros([total], (self.kind, self.device));
        let mut start = 0;
        for parameter in &mut ordered {
            let count = count_values(&parameter.tensor);
            let mut slice = flat.narrow(0, start, count).view(parameter.tensor.size().as_slice());
            slice.copy_(&parameter.tensor);
            parameter.tensor.set_data(&slice);
            start += count;
        }
        flat
    }
}

/// A prefix of names within a model under construction.
#[derive(Debug)]
pub struct Scope<'a> {
    builder: &'a mut ParameterBuilder,
    path: String,
}

impl Scope<'_> {
    /// The scope below this one.
    pub fn enter(&mut self, name: &str) -> Scope<'_> {
        let path = self.full_name(name);
        Scope { builder: self.builder, path }
    }

    /// Adds a parameter with the given initial values.
    pub fn parameter(&mut self, name: &str, role: Role, values: &Tensor) -> Tensor {
        let name = self.full_name(name);
        let tensor = values.to_kind(self.builder.kind).to_device(self.builder.device).copy().set_requires_grad(true);
        self.builder.parameters.push(Parameter { name, tensor: tensor.shallow_clone(), role });
        tensor
    }

    /// Adds a weight drawn from U(-bound, bound).
    pub fn uniform(&mut self, name: &str, shape: &[i64], bound: f64) -> Tensor {
        let full_name = self.full_name(name);
        let key = Key { seed: self.builder.seed, name: &full_name };
        let values = init::uniform(key, shape, bound, self.builder.kind, self.builder.device);
        self.parameter(name, Role::Weight, &values)
    }

    /// Adds a weight drawn from N(0, deviation²).
    pub fn normal(&mut self, name: &str, shape: &[i64], deviation: f64) -> Tensor {
        let values = self.draw_normal(name, shape, deviation, self.builder.kind);
        self.parameter(name, Role::Weight, &values)
    }

    /// Draws from N(0, deviation²) under a name without adding anything; on the processor, so that what is computed from
    /// the draws is the same for every device.
    pub fn draw_normal(&self, name: &str, shape: &[i64], deviation: f64, kind: Kind) -> Tensor {
        let full_name = self.full_name(name);
        let key = Key { seed: self.builder.seed, name: &full_name };
        init::normal(key, shape, deviation, kind, Device::Cpu)
    }

    /// Adds a parameter whose values are all `value`.
    pub fn constant(&mut self, name: &str, role: Role, shape: &[i64], value: f64) -> Tensor {
        let values = Tensor::full(shape, value, (self.builder.kind, self.builder.device));
        self.parameter(name, role, &values)
    }

    /// Adds a buffer whose values are all `value`.
    pub fn buffer(&mut self, name: &str, shape: &[i64], value: f64) -> Tensor {
        let tensor = Tensor::full(shape, value, (self.builder.kind, self.builder.device));
        self.push_buffer(name, tensor)
    }

    /// Adds an integer buffer of one value that starts at zero.
    pub fn counter(&mut self, name: &str) -> Tensor {
        let tensor = Tensor::zeros([0_i64; 0], (Kind::Int64, self.builder.device));
        self.push_buffer(name, tensor)
    }

    /// Adds a buffer with the given values, which training does not change.
    pub fn fixed(&mut self, name: &str, values: &Tensor) -> Tensor {
        self.push_buffer(name, values.to_kind(self.builder.kind).to_device(self.builder.device).copy())
    }

    /// The arithmetic of st-networks.
    pub fn arithmetic(&self) -> Arithmetic {
        self.builder.arithmetic
    }

    /// The order of activations of st-networks.
    pub fn memory_order(&self) -> MemoryOrder {
        self.builder.memory_order
    }

    /// Counts the states loaded into the model: what a layer remembers of a buffer is stale after one.
    pub(crate) fn loads(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.builder.loads)
    }

    /// The element type and device of the model.
    pub fn options(&self) -> (Kind, Device) {
        (self.builder.kind, self.builder.device)
    }

    fn push_buffer(&mut self, name: &str, tensor: Tensor) -> Tensor {
        let name = self.full_name(name);
        self.builder.buffers.push(Buffer { name, tensor: tensor.shallow_clone() });
        tensor
    }

    fn full_name(&self, name: &str) -> String {
        if self.path.is_empty() {
            return name.to_owned();
        }
        format!("{}.{name}", self.path)
    }
}

fn count_values(tensor: &Tensor) -> i64 {
    tensor.size().iter().product()
}
