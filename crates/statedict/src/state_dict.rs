//! An ordered list of tensors with different names.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::tensor::Tensor;

/// Two tensors would have one name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("two tensors are named {name:?}; rename one")]
pub struct DuplicateName {
    /// The name.
    pub name: String,
}

/// Named tensors in the order of their file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateDict {
    tensors: Vec<Tensor>,
    places: HashMap<String, usize>,
}

impl StateDict {
    /// A state dict without tensors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor at the end.
    ///
    /// # Errors
    /// [`DuplicateName`], if there is one of that name.
    pub fn push(&mut self, tensor: Tensor) -> Result<(), DuplicateName> {
        if self.places.contains_key(tensor.name()) {
            return Err(DuplicateName { name: tensor.name().to_owned() });
        }
        self.places.insert(tensor.name().to_owned(), self.tensors.len());
        self.tensors.push(tensor);
        Ok(())
    }

    /// The tensor of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.places.get(name).map(|&place| &self.tensors[place])
    }

    /// The number of tensors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether it has no tensors.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// The tensors in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Tensor> {
        self.tensors.iter()
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.iter().map(Tensor::name)
    }

    /// The elements of all tensors together, buffers such as running means included.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.tensors.iter().map(Tensor::elements).sum()
    }

    /// The bytes of all tensors together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tensors.iter().map(|tensor| tensor.bytes().len()).sum()
    }

    /// SHA-256 of the names, types, shapes and bytes in the order of the names: the same for the same tensors,
    /// whatever the file's format and order.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut ordered: Vec<&Tensor> = self.tensors.iter().collect();
        ordered.sort_unstable_by_key(|tensor| tensor.name());
        let mut hash = Sha256::new();
        for tensor in ordered {
            // Each part has its length before it, so that no two lists of tensors read alike.
            let head = format!("{} {:?} {}", tensor.element(), tensor.shape(), tensor.name());
            hash.update((head.len() as u64).to_le_bytes());
            hash.update(head);
            hash.update((tensor.bytes().len() as u64).to_le_bytes());
            hash.update(tensor.bytes());
        }
        hash.finalize().into()
    }

    /// Takes `prefix` off every name, if there are names and all begin with it; says whether it did.
    pub(crate) fn strip_prefix(&mut self, prefix: &str) -> bool {
        let shared = !self.is_empty() && self.names().all(|name| name.starts_with(prefix));
        if shared {
            let tensors = std::mem::take(&mut self.tensors);
            let renamed = tensors.into_iter().map(|tensor| {
                let name = tensor.name()[prefix.len()..].to_owned();
                tensor.renamed(name)
            });
            self.tensors = renamed.collect();
            self.places = self.names().enumerate().map(|(place, name)| (name.to_owned(), place)).collect();
        }
        shared
    }
}

impl IntoIterator for StateDict {
    type Item = Tensor;
    type IntoIter = std::vec::IntoIter<Tensor>;

    fn into_iter(self) -> Self::IntoIter {
        self.tensors.into_iter()
    }
}

impl<'a> IntoIterator for &'a StateDict {
    type Item = &'a Tensor;
    type IntoIter = std::slice::Iter<'a, Tensor>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::ElementType;

    fn of(names: &[&str]) -> StateDict {
        let mut state = StateDict::new();
        for name in names {
            let bytes = name.as_bytes().to_vec();
            state.push(Tensor::new(*name, ElementType::U8, vec![bytes.len()], bytes).unwrap()).unwrap();
        }
        state
    }

    #[test]
    fn tensors_keep_their_order_and_are_found_by_name() {
        let state = of(&["weight", "bias"]);

        assert_eq!(state.names().collect::<Vec<_>>(), ["weight", "bias"]);
        assert_eq!(state.get("bias").unwrap().bytes(), b"bias");
        assert_eq!(state.get("scale"), None);
        assert_eq!((state.len(), state.elements(), state.bytes()), (2, 10, 10));
    }

    #[test]
    fn second_tensor_of_a_name_is_refused() {
        let mut state = of(&["weight"]);

        let refusal = state.push(of(&["weight"]).into_iter().next().unwrap()).unwrap_err();

        assert_eq!(refusal, DuplicateName { name: "weight".to_owned() });
    }

    #[test]
    fn digest_knows_names_and_bytes_but_no_order() {
        let state = of(&["weight", "bias"]);

        assert_eq!(state.digest(), of(&["bias", "weight"]).digest());
        assert_ne!(state.digest(), of(&["weight"]).digest());
        assert_ne!(state.digest(), of(&["weightb", "ias"]).digest());
    }

    #[test]
    fn prefix_goes_only_where_every_name_has_it() {
        let mut wrapped = of(&["module.weight", "module.bias"]);
        let mut mixed = of(&["module.weight", "bias"]);

        assert!(wrapped.strip_prefix("module."));
        assert!(!mixed.strip_prefix("module."));
        assert!(!StateDict::new().strip_prefix("module."));
        assert_eq!(wrapped.names().collect::<Vec<_>>(), ["weight", "bias"]);
        assert_eq!(wrapped.get("bias").unwrap().bytes(), b"module.bias");
        assert_eq!(mixed.names().collect::<Vec<_>>(), ["module.weight", "bias"]);
    }
}
