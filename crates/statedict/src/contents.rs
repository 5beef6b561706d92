//! What reading a file yields: the tensors, and all that was passed over on the way to them.

use std::collections::BTreeMap;
use std::fmt;

use crate::state_dict::StateDict;

/// How a file holds its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A zip archive of `torch.save`, PyTorch 1.6 and later.
    PtZip,
    /// A sequence of pickles and storages, as `torch.save` wrote before.
    PtLegacy,
    /// A safetensors file.
    Safetensors,
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::PtZip => "PyTorch zip",
            Self::PtLegacy => "PyTorch before 1.6",
            Self::Safetensors => "safetensors",
        })
    }
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The format that its first bytes told.
    pub format: Format,
    /// The tensors, in the order of the file; safetensors keeps none but that of the bytes.
    pub state_dict: StateDict,
    /// The key of the outer dict under which the state dict lay, `net` say; `None` where it was the whole file.
    pub found_under: Option<String>,
    /// The other keys of the outer dict, read over: optimiser state, epoch.
    pub ignored: Vec<String>,
    /// Whether every name began with the `module.` of DataParallel; the names here are without it.
    pub unwrapped: bool,
    /// The free metadata of a safetensors file; empty in the other formats.
    pub metadata: BTreeMap<String, String>,
}
