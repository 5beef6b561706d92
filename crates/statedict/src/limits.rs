//! What reading a file may cost, declared by the caller before the file is opened.

/// Bounds on what a file may make its reader hold. A file that asks for more is refused before memory is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all tensors together, each counted in full even where they share storage; also of all storages that
    /// they look into. The most that is held at once is all tensors and one storage.
    pub bytes: u64,
    /// Number of tensors.
    pub tensors: usize,
    /// Bytes of the pickle, or of the safetensors header, that names the tensors.
    pub header_bytes: usize,
    /// Values that the pickle may push or remember: up to 100 bytes of memory each.
    pub pickle_values: usize,
}

impl Limits {
    /// Bounds for tensors of at most `bytes` bytes together, with room for any model's names.
    #[must_use]
    pub fn of_bytes(bytes: u64) -> Self {
        Self { bytes, tensors: 1 << 16, header_bytes: 16 << 20, pickle_values: 1 << 20 }
    }
}
