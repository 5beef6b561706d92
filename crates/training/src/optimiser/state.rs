//! The optimiser's state by name, for checkpoints.

use tch::{Kind, Tensor, no_grad};

use super::rule::Moments;

/// The name of the step count.
const STEPS: &str = "steps";

/// Why a saved state does not fit the optimiser; nothing was changed then.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The optimiser has a tensor that the state lacks.
    #[error("the optimiser's state lacks {0}: was it saved by the same kind of optimiser?")]
    Missing(String),
    /// The state has a tensor that the optimiser lacks.
    #[error("the optimiser's state holds {0}, which it does not have: was it saved by the same kind of optimiser?")]
    Extra(String),
    /// The shapes differ.
    #[error("{name} has shape {found:?} in the saved state and {expected:?} in the optimiser")]
    Shape {
        /// The tensor.
        name: String,
        /// The optimiser's shape.
        expected: Vec<i64>,
        /// The saved shape.
        found: Vec<i64>,
    },
}

/// The step count and the moments of each group.
pub(super) fn of<'a>(steps: i64, groups: impl Iterator<Item = (&'static str, &'a Moments)>) -> Vec<(String, Tensor)> {
    let mut state = vec![(STEPS.to_owned(), Tensor::from(steps))];
    for (name, moments) in groups {
        if let Some(first) = &moments.first {
            state.push((format!("{name}.first_moment"), first.shallow_clone()));
        }
        state.push((format!("{name}.second_moment"), moments.second.shallow_clone()));
    }
    state
}

/// Copies the saved tensors into `own` (as listed by [`of`]) and returns the saved step count.
pub(super) fn load(own: &[(String, Tensor)], saved: &[(String, Tensor)]) -> Result<i64, StateError> {
    let find = |name: &str| saved.iter().find(|(saved_name, _)| saved_name == name).map(|(_, tensor)| tensor);
    for (name, target) in own {
        let source = find(name).ok_or_else(|| StateError::Missing(name.clone()))?;
        if source.size() != target.size() {
            return Err(StateError::Shape { name: name.clone(), expected: target.size(), found: source.size() });
        }
    }
    if let Some((name, _)) = saved.iter().find(|(name, _)| own.iter().all(|(own_name, _)| own_name != name)) {
        return Err(StateError::Extra(name.clone()));
    }

    let mut steps = 0;
    no_grad(|| {
        for (name, target) in own {
            let source = find(name).expect("presence was checked above");
            if name == STEPS {
                steps = source.to_kind(Kind::Int64).int64_value(&[]);
            } else {
                target.shallow_clone().copy_(source);
            }
        }
    });
    Ok(steps)
}
