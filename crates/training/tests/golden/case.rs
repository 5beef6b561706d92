//! One golden case as it lies on disk: `case.json` and `tensors.safetensors`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use tch::{Kind, Tensor};

/// The configuration and the recorded numbers of a case.
#[derive(Debug, Deserialize)]
pub struct Case {
    pub name: String,
    pub config: Configuration,
    pub input_shape: Vec<i64>,
    pub steps: usize,
    pub lr: f64,
    pub weight_decay: f64,
    pub weight_decay_on: Option<String>,
    pub grad_clip_norm: Option<f64>,
    pub optimizer: String,
    pub parameters: i64,
    pub losses: Vec<f64>,
    pub bits_per_dim: Vec<f64>,
    pub grad_norms_before_clip: Vec<Vec<f64>>,
    #[serde(skip)]
    tensors: HashMap<String, Tensor>,
}

/// What the reference was asked to build; what a model does not read, and what keeps its default, is absent.
#[derive(Clone, Debug, Deserialize)]
pub struct Configuration {
    pub model: String,
    pub num_scales: Option<u32>,
    pub num_coupling_layers_per_scale: Option<u32>,
    pub num_coupling_layers: Option<u32>,
    pub mid_channels: Option<i64>,
    pub hidden_dim: Option<i64>,
    pub num_blocks: Option<i64>,
    pub num_layers: Option<i64>,
    pub latent_dim: Option<i64>,
    pub st_type: Option<String>,
    #[serde(alias = "use_batch_norm")]
    pub batch_norm: Option<bool>,
    pub skip: Option<bool>,
    pub multi_scale: Option<bool>,
    pub actnorm_scale: Option<f64>,
}

/// Names the folder with the cases, from the repository's root if relative.
pub const FOLDER_VARIABLE: &str = "SPILLWAY_GOLDEN_DIR";

/// Where the cases are looked for.
#[derive(Debug)]
pub enum Folder {
    /// Somebody named it and counts on it.
    Named(PathBuf),
    /// Beside the repository, where it may be absent.
    Default(PathBuf),
}

impl Folder {
    /// The folder that [`FOLDER_VARIABLE`] names, or the one beside the repository.
    pub fn from_environment() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        match std::env::var_os(FOLDER_VARIABLE) {
            Some(named) => Self::Named(root.join(named)),
            None => Self::Default(root.join("../shared/golden")),
        }
    }

    /// The folder, or `None` if the default one is absent.
    pub fn existing(self) -> Option<PathBuf> {
        match self {
            Self::Named(path) => {
                assert!(
                    path.is_dir(),
                    "{FOLDER_VARIABLE} names {}, which is no folder; correct it or unset it",
                    path.display()
                );
                Some(path)
            }
            Self::Default(path) => path.is_dir().then_some(path),
        }
    }
}

/// The folders below `folder` that hold a case, by name.
pub fn paths(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is readable");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder is readable").path()).collect();
    paths.retain(|path| path.join("case.json").is_file());
    paths.sort();
    paths
}

impl Case {
    /// Reads the case in a folder; the error says what of it is not as the golden cases' description says.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path.join("case.json")).map_err(|error| format!("case.json: {error}"))?;
        let mut case: Self = serde_json::from_str(&text).map_err(|error| format!("case.json: {error}"))?;
        let counts = [case.losses.len(), case.bits_per_dim.len(), case.grad_norms_before_clip.len()];
        if counts != [case.steps; 3] {
            return Err(format!("losses, bits and norms of {counts:?} steps, not {}", case.steps));
        }
        let bytes =
            std::fs::read(path.join("tensors.safetensors")).map_err(|error| format!("tensors.safetensors: {error}"))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| format!("tensors.safetensors: {error}"))?;
        for (name, view) in file.iter() {
            let shape: Vec<i64> =
                view.shape().iter().map(|side| i64::try_from(*side).expect("a side fits i64")).collect();
            let kind = match view.dtype() {
                Dtype::F32 => Kind::Float,
                Dtype::F64 => Kind::Double,
                Dtype::I64 => Kind::Int64,
                other => return Err(format!("tensors.safetensors: {name} has the unexpected type {other:?}")),
            };
            case.tensors.insert(name.to_owned(), Tensor::from_data_size(view.data(), &shape, kind));
        }
        Ok(case)
    }

    /// A recorded tensor by its key.
    pub fn tensor(&self, key: &str) -> Tensor {
        self.tensors.get(key).unwrap_or_else(|| panic!("{}: there is no {key}", self.name)).shallow_clone()
    }

    /// Whether a tensor was recorded under the key.
    pub fn has(&self, key: &str) -> bool {
        self.tensors.contains_key(key)
    }

    /// The keys that start with `prefix`, without it.
    pub fn names(&self, prefix: &str) -> Vec<&str> {
        self.tensors.keys().filter_map(|key| key.strip_prefix(prefix)).collect()
    }

    /// The length of the gradient of batch 0 after clipping, of the longer group.
    pub fn gradient_length(&self) -> f64 {
        let longest = self.grad_norms_before_clip.first().into_iter().flatten().copied().fold(0.0, f64::max);
        self.grad_clip_norm.map_or(longest, |clip| clip.min(longest))
    }

    /// The examples of batch `index`.
    pub fn examples(&self, index: usize) -> Tensor {
        self.tensor(&format!("x/{index}"))
    }

    /// The dequantisation noise of batch `index`; vectors have none.
    pub fn noise(&self, index: usize) -> Option<Tensor> {
        (self.input_shape.len() == 3).then(|| self.tensor(&format!("noise/{index}")))
    }
}
