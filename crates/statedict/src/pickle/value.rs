//! What a pickle holds: plain values, and objects that other values refer to by number.
//!
//! Objects lie in one list and never in each other, so that hostile nesting can exhaust no stack, in reading or in
//! dropping, and a cycle does no harm.

use std::collections::HashMap;

use super::callable::Callable;
use super::error::Fault;
use crate::element::ElementType;

/// A value on the stack, in a container or remembered. Text borrows from the pickle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    None,
    Bool(bool),
    Integer(i64),
    /// An integer beyond 64 bits: two's complement, little-endian.
    Long(&'a [u8]),
    Float,
    Text(&'a str),
    Bytes,
    Callable(Callable),
    Object(ObjectId),
}

/// The place of an object in the machine's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ObjectId(usize);

/// What has parts.
#[derive(Debug, Clone)]
pub(crate) enum Object<'a> {
    Tuple(Vec<Value<'a>>),
    List(Vec<Value<'a>>),
    /// In the order of writing. A key may stand twice: the later counts, as in Python.
    Dict(Vec<(Value<'a>, Value<'a>)>),
    Storage(Box<Storage<'a>>),
    Tensor(Box<TensorLayout<'a>>),
}

/// Bytes beside the pickle that tensors look into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Storage<'a> {
    pub key: &'a str,
    pub element: ElementType,
    /// Elements in all the bytes stored under the key, as far as the pickle says.
    pub elements: u64,
    /// Where this storage begins among them, for old files with views.
    pub first: u64,
    /// How many of them it spans.
    pub span: u64,
}

/// How a tensor looks into a storage; in elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorLayout<'a> {
    pub storage: Storage<'a>,
    pub offset: u64,
    pub shape: Vec<u64>,
    pub strides: Vec<u64>,
}

impl Object<'_> {
    /// The values it holds.
    pub fn size(&self) -> usize {
        match self {
            Self::Tuple(items) | Self::List(items) => items.len(),
            Self::Dict(pairs) => 2 * pairs.len(),
            Self::Storage(_) => 1,
            Self::Tensor(tensor) => 1 + tensor.shape.len() + tensor.strides.len(),
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
        }
    }
}

/// All objects of a pickle.
#[derive(Debug, Default)]
pub(crate) struct Objects<'a>(Vec<Object<'a>>);

impl<'a> Objects<'a> {
    pub fn add(&mut self, object: Object<'a>) -> Value<'a> {
        self.0.push(object);
        Value::Object(ObjectId(self.0.len() - 1))
    }

    /// The object that a value refers to, if it refers to one.
    pub fn get(&self, value: Value<'a>) -> Option<&Object<'a>> {
        match value {
            Value::Object(ObjectId(place)) => self.0.get(place),
            _ => None,
        }
    }

    pub fn get_mut(&mut self, value: Value<'a>) -> Option<&mut Object<'a>> {
        match value {
            Value::Object(ObjectId(place)) => self.0.get_mut(place),
            _ => None,
        }
    }

    /// Bytes of an element in each storage, by its key.
    pub fn storage_widths(&self) -> HashMap<&'a str, u64> {
        let storages = self.0.iter().filter_map(|object| match object {
            Object::Storage(storage) => Some((storage.key, storage.element.bytes() as u64)),
            _ => None,
        });
        storages.collect()
    }

    /// What kind of thing a value is, for messages.
    pub fn kind(&self, value: Value<'a>) -> &'static str {
        match value {
            Value::None => "None",
            Value::Bool(_) => "a bool",
            Value::Integer(_) | Value::Long(_) => "an integer",
            Value::Float => "a float",
            Value::Text(_) => "a text",
            Value::Bytes => "bytes",
            Value::Callable(_) => "a name",
            Value::Object(_) => self.get(value).map_or("an object", Object::kind),
        }
    }

    /// The items of a tuple or a list.
    pub fn sequence(&self, value: Value<'a>) -> Result<&[Value<'a>], Fault> {
        match self.get(value) {
            Some(Object::Tuple(items) | Object::List(items)) => Ok(items),
            _ => Err(Fault::Mismatch { wanted: "a tuple or a list", found: self.kind(value) }),
        }
    }

    pub fn storage(&self, value: Value<'a>) -> Result<&Storage<'a>, Fault> {
        match self.get(value) {
            Some(Object::Storage(storage)) => Ok(storage),
            _ => Err(Fault::Mismatch { wanted: "a storage", found: self.kind(value) }),
        }
    }

    pub fn tensor(&self, value: Value<'a>) -> Result<&TensorLayout<'a>, Fault> {
        match self.get(value) {
            Some(Object::Tensor(tensor)) => Ok(tensor),
            _ => Err(Fault::Mismatch { wanted: "a tensor", found: self.kind(value) }),
        }
    }

    /// A size, an offset or a stride.
    pub fn count(&self, value: Value<'a>) -> Result<u64, Fault> {
        let mismatch = |found| Fault::Mismatch { wanted: "a number of elements", found };
        match value {
            Value::Integer(count) => u64::try_from(count).map_err(|_| mismatch("a negative number")),
            other => Err(mismatch(self.kind(other))),
        }
    }
}
