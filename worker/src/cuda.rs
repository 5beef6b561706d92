//! CUDA, which the program is not linked with: the library is loaded by name before the first tensor.
//!
//! The only module with unsafe code: loading a library runs its initialisers.

use std::{ffi::OsString, io, path::Path, process::Stdio};

use domain::fleet::DeviceKind;
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
use thiserror::Error;
use tokio::process;
use training::{Device, DeviceError};

use crate::child::Resources;

/// The name that the loader looks for when the configuration names no file.
const DEFAULT_LIBRARY: &str = "libtorch_cuda.so";

/// CUDA was asked for and there is none.
#[derive(Debug, Error)]
pub enum CudaError {
    /// The library does not load.
    #[error(
        "cannot load {library}: {source}; give the libtorch_cuda.so of a libtorch 2.11.0 with CUDA by --cuda-library \
         (SPILLWAY_CUDA_LIBRARY), or use --device cpu"
    )]
    Library {
        /// The file asked for.
        library: String,
        /// The loader's complaint.
        source: libloading::Error,
    },
    /// The library finds no device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The question could not be asked.
    #[error("cannot ask a child process for CUDA: {0}")]
    Process(#[from] io::Error),
    /// The process that was asked says no, in these words.
    #[error("{0}")]
    Refused(String),
}

/// Makes the device ready for the first tensor of this process.
///
/// # Errors
/// CUDA was asked for and there is none.
pub fn prepare(resources: &Resources) -> Result<(), CudaError> {
    match resources.device {
        DeviceKind::Cpu => Ok(()),
        DeviceKind::Cuda => probe(resources.cuda_library.as_deref()),
    }
}

/// Loads CUDA into this process and checks that it sees a device.
///
/// # Errors
/// The library does not load, or finds no device.
pub fn probe(library: Option<&Path>) -> Result<(), CudaError> {
    load(library)?;
    Ok(Device::Cuda.require()?)
}

/// Asks a short-lived process of `program` whether CUDA works, so that this one never touches the tensor library.
///
/// # Errors
/// It does not, with the reason and the remedy.
pub async fn ask(program: &Path, library: Option<&Path>) -> Result<(), CudaError> {
    let mut probe = process::Command::new(program);
    probe.arg("probe-device").stdin(Stdio::null()).kill_on_drop(true);
    if let Some(library) = library {
        probe.arg("--cuda-library").arg(library);
    }
    let output = probe.output().await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let said = said.strip_prefix("error: ").unwrap_or(&said).to_owned();
    Err(CudaError::Refused(if said.is_empty() { format!("the CUDA probe ended with {}", output.status) } else { said }))
}

#[expect(unsafe_code, reason = "the only way to load a library at run time")]
fn load(library: Option<&Path>) -> Result<(), CudaError> {
    let name = library.map_or_else(|| OsString::from(DEFAULT_LIBRARY), OsString::from);
    // SAFETY: the library's initialisers run now, in a process that has made no tensor and started no thread of the
    // tensor library yet; they register CUDA with the libtorch that this program is linked with, as they do under
    // Python. Global symbols are needed for the kernels' registration to find each other.
    let loaded = unsafe { Library::open(Some(name.as_os_str()), RTLD_NOW | RTLD_GLOBAL) };
    let loaded =
        loaded.map_err(|source| CudaError::Library { library: name.to_string_lossy().into_owned(), source })?;
    // Registered kernels point into the library, so it stays until the process ends.
    std::mem::forget(loaded);
    Ok(())
}
