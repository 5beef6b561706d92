//! The names that a pickle may ask for, and what each builds. Nothing outside this table exists.

use super::error::Fault;
use super::value::{Object, Objects, TensorLayout, Value};
use crate::element::ElementType;

/// A name that state dicts call or refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callable {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch.Size`
    Size,
    /// `torch._utils._rebuild_tensor(storage, offset, size, stride)`
    RebuildTensor,
    /// `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata = None)`
    RebuildTensorV2,
    /// `torch._utils._rebuild_parameter(data, requires_grad, hooks)`, and the same with further state behind
    RebuildParameter,
    /// `torch.FloatStorage` and its like: only ever referred to
    Storage(ElementType),
}

impl Callable {
    /// Looks a name up.
    pub fn of_name(module: &str, name: &str) -> Result<Self, Fault> {
        let known = match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch", "Size") => Some(Self::Size),
            ("torch._utils", "_rebuild_tensor") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_tensor_v2") => Some(Self::RebuildTensorV2),
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => Some(Self::RebuildParameter),
            ("torch" | "torch.cuda", class) => ElementType::of_storage_class(class).map(Self::Storage),
            _ => None,
        };
        known.ok_or_else(|| {
            let full = format!("{}.{}", readable(module), readable(name));
            let is_storage = matches!(module, "torch" | "torch.cuda") && name.ends_with("Storage");
            if is_storage || (module == "torch._utils" && name.starts_with("_rebuild_")) {
                return Fault::ForeignTensor { name: full };
            }
            Fault::ForeignName { name: full }
        })
    }

    /// Builds what calling it with these arguments describes.
    pub fn build<'a>(self, objects: &Objects<'a>, arguments: &[Value<'a>]) -> Result<Object<'a>, Fault> {
        match self {
            Self::OrderedDict => Ok(Object::Dict(pairs(objects, arguments)?)),
            Self::Size => match arguments {
                [] => Ok(Object::Tuple(Vec::new())),
                [sizes] => Ok(Object::Tuple(objects.sequence(*sizes)?.to_vec())),
                _ => Err(Fault::Mismatch { wanted: "one sequence of sizes", found: "several arguments" }),
            },
            Self::RebuildTensor | Self::RebuildTensorV2 => Ok(Object::Tensor(Box::new(tensor(objects, arguments)?))),
            Self::RebuildParameter => match arguments {
                [data, ..] => Ok(Object::Tensor(Box::new(objects.tensor(*data)?.clone()))),
                [] => Err(Fault::Mismatch { wanted: "a tensor", found: "no argument" }),
            },
            Self::Storage(_) => Err(Fault::Mismatch { wanted: "a function", found: "a storage class" }),
        }
    }
}

/// The arguments of an ordered dict: none, or, as Python 2 wrote it, one list of pairs.
fn pairs<'a>(objects: &Objects<'a>, arguments: &[Value<'a>]) -> Result<Vec<(Value<'a>, Value<'a>)>, Fault> {
    let items = match arguments {
        [] => return Ok(Vec::new()),
        [items] => objects.sequence(*items)?,
        _ => return Err(Fault::Mismatch { wanted: "one list of pairs", found: "several arguments" }),
    };
    let pair = |item: &Value<'a>| match objects.sequence(*item)? {
        [key, value] => Ok((*key, *value)),
        _ => Err(Fault::Mismatch { wanted: "a pair", found: "a sequence of another length" }),
    };
    items.iter().map(pair).collect()
}

fn tensor<'a>(objects: &Objects<'a>, arguments: &[Value<'a>]) -> Result<TensorLayout<'a>, Fault> {
    let [storage, offset, shape, strides, rest @ ..] = arguments else {
        return Err(Fault::Mismatch { wanted: "storage, offset, size and stride", found: "fewer arguments" });
    };
    // Beyond `requires_grad` and the hooks: marks that change what the bytes mean.
    match rest.get(2).map(|&marks| (marks, objects.get(marks))) {
        None | Some((Value::None, _)) => {}
        Some((_, Some(Object::Dict(marks)))) if marks.is_empty() => {}
        Some((_, Some(Object::Dict(marks)))) => return Err(Fault::LazyTensor { count: marks.len() }),
        Some((other, _)) => return Err(Fault::Mismatch { wanted: "a dict of marks", found: objects.kind(other) }),
    }
    let sizes = |value: Value<'a>| {
        objects.sequence(value)?.iter().map(|&size| objects.count(size)).collect::<Result<Vec<u64>, Fault>>()
    };
    let (shape, strides) = (sizes(*shape)?, sizes(*strides)?);
    if shape.len() != strides.len() {
        return Err(Fault::Mismatch { wanted: "a stride for every size", found: "another number of strides" });
    }
    Ok(TensorLayout { storage: *objects.storage(*storage)?, offset: objects.count(*offset)?, shape, strides })
}

/// A name from the file, cut to what fits a message, without what would disturb a terminal.
fn readable(name: &str) -> String {
    name.chars().take(100).flat_map(char::escape_debug).collect()
}
