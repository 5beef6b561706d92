//! Which tensors are cut from which storage: everything a file asks for is checked here before its bytes are read.

use std::collections::HashMap;

use super::error::PtError;
use super::outer::Found;
use crate::contents::{Contents, Format};
use crate::element::ElementType;
use crate::limits::Limits;
use crate::pickle::TensorLayout;
use crate::state_dict::StateDict;
use crate::tensor::{Tensor, bytes_of};

/// The tensors to come, and the storages they wait for.
#[derive(Debug)]
pub(super) struct Plan {
    tensors: Vec<Planned>,
    storages: HashMap<String, Awaited>,
    under: Option<String>,
    ignored: Vec<String>,
}

#[derive(Debug)]
struct Planned {
    name: String,
    element: ElementType,
    /// First element in the storage.
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
    bytes: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Awaited {
    bytes: u64,
    /// Places of the tensors that look into it.
    tensors: Vec<usize>,
    arrived: bool,
}

impl Plan {
    /// Checks sizes, offsets and strides against the storages and the limits.
    pub fn new(found: &Found<'_, '_>, limits: &Limits) -> Result<Self, PtError> {
        if found.tensors.len() > limits.tensors {
            return Err(PtError::TooMany { tensors: found.tensors.len(), limit: limits.tensors });
        }
        let mut plan = Self {
            tensors: Vec::with_capacity(found.tensors.len()),
            storages: HashMap::new(),
            under: found.under.clone(),
            ignored: found.ignored.clone(),
        };
        let (mut total, mut stored_total) = (0_u64, 0_u64);
        for &(name, layout) in &found.tensors {
            let planned = planned(name, layout)?;
            let bytes = bytes_of(planned.element, &planned.shape).map_or(u64::MAX, |bytes| bytes as u64);
            let stored = layout.storage.elements.saturating_mul(planned.element.bytes() as u64);
            total = total.saturating_add(bytes);
            if !plan.storages.contains_key(layout.storage.key) {
                stored_total = stored_total.saturating_add(stored);
            }
            let bytes = total.max(stored_total);
            if bytes > limits.bytes {
                return Err(PtError::TooLarge { name: name.to_owned(), bytes, limit: limits.bytes });
            }
            plan.expect(layout.storage.key, stored, planned)?;
        }
        Ok(plan)
    }

    fn expect(&mut self, key: &str, bytes: u64, planned: Planned) -> Result<(), PtError> {
        let place = self.tensors.len();
        let awaited = self.storages.entry(key.to_owned());
        let awaited = awaited.or_insert_with(|| Awaited { bytes, tensors: Vec::new(), arrived: false });
        if awaited.bytes != bytes {
            let (name, key) = (planned.name, key.to_owned());
            return Err(PtError::StorageSize { name, key, stated: bytes, other: awaited.bytes });
        }
        awaited.tensors.push(place);
        self.tensors.push(planned);
        Ok(())
    }

    /// The bytes to read for a storage, or `None` if no tensor looks into it.
    pub fn wanted(&self, key: &str) -> Option<u64> {
        self.storages.get(key).map(|awaited| awaited.bytes)
    }

    /// That a storage has other than the bytes wanted.
    pub fn short_storage(&self, key: &str, found: u64) -> PtError {
        PtError::ShortStorage {
            name: self.first_tensor(key),
            key: key.to_owned(),
            wanted: self.wanted(key).unwrap_or(0),
            found,
        }
    }

    /// Cuts the tensors of a storage from its bytes. A storage that is one tensor becomes it without a copy.
    pub fn fill(&mut self, key: &str, bytes: Vec<u8>) -> Result<(), PtError> {
        if self.wanted(key).is_none_or(|wanted| wanted != bytes.len() as u64) {
            return Err(self.short_storage(key, bytes.len() as u64));
        }
        let Some(awaited) = self.storages.get_mut(key) else { return Ok(()) };
        if awaited.arrived {
            return Err(PtError::DoubleEntry);
        }
        awaited.arrived = true;
        if let [only] = awaited.tensors[..] {
            let tensor = &mut self.tensors[only];
            tensor.bytes = Some(if tensor.is_all_of(&bytes) { bytes } else { tensor.cut(&bytes) });
            return Ok(());
        }
        for &place in &awaited.tensors {
            let tensor = &mut self.tensors[place];
            tensor.bytes = Some(tensor.cut(&bytes));
        }
        Ok(())
    }

    /// The tensors, when every storage was filled.
    pub fn finish(self, format: Format) -> Result<Contents, PtError> {
        let missing = self.storages.iter().find(|(_, awaited)| !awaited.arrived).map(|(key, _)| key);
        if let Some(key) = missing {
            return Err(PtError::NoStorage { name: self.first_tensor(key), key: key.clone() });
        }
        let mut state_dict = StateDict::new();
        for planned in self.tensors {
            let Planned { name, element, shape, bytes, .. } = planned;
            let tensor = Tensor::new(name, element, shape, bytes.unwrap_or_default())?;
            state_dict.push(tensor).expect("the outer dict gives each name once");
        }
        Ok(Contents {
            format,
            state_dict,
            found_under: self.under,
            ignored: self.ignored,
            unwrapped: false,
            metadata: std::collections::BTreeMap::new(),
        })
    }

    fn first_tensor(&self, key: &str) -> String {
        let place = self.storages.get(key).and_then(|awaited| awaited.tensors.first());
        place.map_or_else(String::new, |&place| self.tensors[place].name.clone())
    }
}

/// Checks that the tensor lies within its storage.
fn planned(name: &str, layout: &TensorLayout<'_>) -> Result<Planned, PtError> {
    let storage = &layout.storage;
    let beyond = || PtError::BeyondStorage {
        name: name.to_owned(),
        key: storage.key.to_owned(),
        offset: layout.offset,
        shape: layout.shape.clone(),
        strides: layout.strides.clone(),
        elements: storage.elements,
    };
    let whole = |sizes: &[u64]| sizes.iter().map(|&size| usize::try_from(size).ok()).collect::<Option<Vec<_>>>();
    let offset = layout.offset.checked_add(storage.first).ok_or_else(beyond)?;
    let view_end = storage.first.checked_add(storage.span).filter(|&end| end <= storage.elements);
    let view_end = view_end.ok_or_else(beyond)?;
    if !layout.shape.contains(&0) {
        let steps = layout.shape.iter().zip(&layout.strides);
        let last = steps
            .map(|(&size, &stride)| (size - 1).checked_mul(stride))
            .try_fold(offset, |sum, reach| sum.checked_add(reach?));
        last.filter(|&last| last < view_end).ok_or_else(beyond)?;
    }
    Ok(Planned {
        name: name.to_owned(),
        element: storage.element,
        offset: usize::try_from(offset).map_err(|_| beyond())?,
        shape: whole(&layout.shape).ok_or_else(beyond)?,
        strides: whole(&layout.strides).ok_or_else(beyond)?,
        bytes: None,
    })
}

impl Planned {
    /// Whether the storage is this tensor and nothing else, in order.
    fn is_all_of(&self, storage: &[u8]) -> bool {
        let bytes = bytes_of(self.element, &self.shape);
        bytes == Some(storage.len()) && (storage.is_empty() || self.offset == 0) && self.is_contiguous()
    }

    fn is_contiguous(&self) -> bool {
        let mut expected = 1_usize;
        self.shape.iter().zip(&self.strides).rev().all(|(&size, &stride)| {
            let fits = size == 1 || stride == expected;
            expected = expected.saturating_mul(size);
            fits
        })
    }

    /// Copies the elements out in row-major order. `Plan::new` has checked that all lie within the storage.
    fn cut(&self, storage: &[u8]) -> Vec<u8> {
        let width = self.element.bytes();
        let length = bytes_of(self.element, &self.shape).unwrap_or(0);
        if length == 0 {
            return Vec::new();
        }
        if self.is_contiguous() {
            return storage[self.offset * width..][..length].to_vec();
        }
        let mut cut = Vec::with_capacity(length);
        let mut index = vec![0_usize; self.shape.len()];
        let mut at = self.offset;
        loop {
            cut.extend_from_slice(&storage[at * width..][..width]);
            // Counts up like a clock: the last axis first, each axis that is full turning the one before it.
            let Some(axis) = (0..index.len()).rev().find(|&axis| index[axis] + 1 < self.shape[axis]) else {
                return cut;
            };
            for (turned, stride) in index.iter_mut().zip(&self.strides).skip(axis + 1) {
                at -= std::mem::take(turned) * stride;
            }
            index[axis] += 1;
            at += self.strides[axis];
        }
    }
}
