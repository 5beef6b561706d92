//! What a checkpoint file is made of: a safetensors file with one document in its metadata and the tensors of the model and
//! of the optimiser under two prefixes.

/// The version of the checkpoint format that this release writes, and the only one it reads.
pub const FORMAT: u32 = 1;

/// The one key of the file's metadata. One document under one key: the order of several keys would vary, and with it the
/// digest of equal contents.
pub const HEADER_KEY: &str = "spillway";

/// The beginning of the names of the model's parameters and buffers.
pub const MODEL_PREFIX: &str = "model.";

/// The beginning of the names of the optimiser's moments and step count.
pub const OPTIMISER_PREFIX: &str = "optimiser.";
