//! Weights of the reference implementation (`flows_ood`) in our names, and ours in its names.

use std::collections::HashSet;

use architecture::flows_ood::{Counterpart, NoCounterpart, counterparts};
use architecture::{Architecture, Role, TensorShape};
use statedict::{ElementType, Inexact, Rounding, StateDict, Tensor};
use thiserror::Error;

/// Most tensors that an error names.
const MOST_NAMED: usize = 8;

/// Why weights cannot be exchanged.
#[derive(Debug, Error)]
pub enum ExchangeError {
    /// The reference cannot build such a model.
    #[error(transparent)]
    NoCounterpart(#[from] NoCounterpart),
    /// The file holds another model than the document describes.
    #[error("the file holds another model than the document describes: {0}")]
    Mismatch(Mismatch),
    /// A number cannot be held in single precision.
    #[error(transparent)]
    Inexact(#[from] Inexact),
}

/// In what a state dict differs from a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Tensors of the model that the file lacks.
    pub missing: Vec<String>,
    /// Tensors of the file that the model lacks.
    pub extra: Vec<String>,
    /// Tensors of another shape: name, the model's shape, the file's.
    pub reshaped: Vec<(String, Vec<i64>, Vec<usize>)>,
}

impl Mismatch {
    fn is_none(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty() && self.reshaped.is_empty()
    }

    fn size(&self) -> usize {
        self.missing.len() + self.extra.len() + self.reshaped.len()
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        for (what, names) in [("lacks", &self.missing), ("has besides", &self.extra)] {
            if !names.is_empty() {
                let named = names.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
                let more = if names.len() > MOST_NAMED { ", …" } else { "" };
                parts.push(format!("it {what} {} tensors ({named}{more})", names.len()));
            }
        }
        for (name, expected, found) in self.reshaped.iter().take(MOST_NAMED) {
            parts.push(format!("{name} has shape {found:?} there and {expected:?} in the document's model"));
        }
        if self.reshaped.len() > MOST_NAMED {
            parts.push(format!("{} more have other shapes", self.reshaped.len() - MOST_NAMED));
        }
        formatter.write_str(&parts.join("; "))?;
        formatter.write_str("; correct the document's model, or give the file that belongs to it")
    }
}

/// Translates a state dict of the reference into our names, in the order of the model, in single precision.
///
/// # Errors
/// [`ExchangeError`]: the model has no counterpart, or the file holds another one, with names and shapes.
pub fn import(state: &StateDict, architecture: &Architecture) -> Result<StateDict, ExchangeError> {
    let mut nearest: Option<Mismatch> = None;
    for candidate in counterparts(architecture)? {
        let mismatch = compare(state, &candidate);
        if mismatch.is_none() {
            return translate(state, &candidate);
        }
        if nearest.as_ref().is_none_or(|known| mismatch.size() < known.size()) {
            nearest = Some(mismatch);
        }
    }
    Err(ExchangeError::Mismatch(nearest.unwrap_or_default()))
}

/// Translates our state dict into the reference's names; marks that it does not save are left out.
///
/// A stack of four checkerboards, which is two of its classes, gets the names of the stack.
///
/// # Errors
/// [`ExchangeError`]: the model has no counterpart, or the state dict is of another model.
pub fn export(state: &StateDict, architecture: &Architecture) -> Result<StateDict, ExchangeError> {
    let candidates = counterparts(architecture)?;
    let candidate = candidates.first().map(Vec::as_slice).unwrap_or_default();
    let mut exported = StateDict::new();
    let mut mismatch = Mismatch::default();
    for (ours, theirs) in candidate {
        match (state.get(&ours.name), theirs) {
            (None, _) => mismatch.missing.push(ours.name.clone()),
            (Some(tensor), _) if !has_shape(tensor, &ours.shape) => {
                mismatch.reshaped.push((ours.name.clone(), ours.shape.clone(), tensor.shape().to_vec()));
            }
            (Some(_), Counterpart::Initialised) => {}
            (Some(tensor), Counterpart::Named(name)) => push(&mut exported, tensor.clone().renamed(name)),
        }
    }
    let known: HashSet<&str> = candidate.iter().map(|(ours, _)| ours.name.as_str()).collect();
    mismatch.extra = state.names().filter(|name| !known.contains(name)).map(str::to_owned).collect();
    if mismatch.is_none() { Ok(exported) } else { Err(ExchangeError::Mismatch(mismatch)) }
}

fn compare(state: &StateDict, candidate: &[(TensorShape, Counterpart)]) -> Mismatch {
    let mut mismatch = Mismatch::default();
    let mut known = HashSet::new();
    for (ours, theirs) in candidate {
        let Counterpart::Named(name) = theirs else { continue };
        known.insert(name.as_str());
        match state.get(name) {
            None => mismatch.missing.push(name.clone()),
            Some(tensor) if !has_shape(tensor, &ours.shape) => {
                mismatch.reshaped.push((name.clone(), ours.shape.clone(), tensor.shape().to_vec()));
            }
            Some(_) => {}
        }
    }
    mismatch.extra = state.names().filter(|name| !known.contains(name)).map(str::to_owned).collect();
    mismatch
}

fn translate(state: &StateDict, candidate: &[(TensorShape, Counterpart)]) -> Result<StateDict, ExchangeError> {
    let mut imported = StateDict::new();
    for (ours, theirs) in candidate {
        let source = match theirs {
            Counterpart::Initialised => None,
            Counterpart::Named(name) => state.get(name),
        };
        let is_integer = ours.shape.is_empty() && matches!(ours.role, Role::Statistic | Role::Constant);
        let tensor = match source {
            // Act norm's mark: a saved model has seen its first batch.
            None => integers(ours, &[1]),
            Some(tensor) if is_integer => integers(ours, &tensor.to_i64(Rounding::Refuse)?),
            Some(tensor) => {
                let values = tensor.to_f32(Rounding::Nearest)?;
                let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                of_bytes(ours, ElementType::F32, bytes)
            }
        };
        push(&mut imported, tensor);
    }
    Ok(imported)
}

fn integers(ours: &TensorShape, values: &[i64]) -> Tensor {
    of_bytes(ours, ElementType::I64, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn of_bytes(ours: &TensorShape, element: ElementType, bytes: Vec<u8>) -> Tensor {
    let shape = ours.shape.iter().map(|&size| usize::try_from(size).expect("sizes are positive")).collect();
    Tensor::new(&ours.name, element, shape, bytes).expect("the shape was compared, and marks are one number")
}

fn has_shape(tensor: &Tensor, shape: &[i64]) -> bool {
    tensor.shape().len() == shape.len()
        && tensor.shape().iter().zip(shape).all(|(&found, &expected)| i64::try_from(found) == Ok(expected))
}

fn push(state: &mut StateDict, tensor: Tensor) {
    state.push(tensor).expect("the names of a model's tensors are unique");
}
