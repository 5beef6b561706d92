//! Where tensors live.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Device {
    /// The processor.
    Cpu,
    /// The first CUDA device that the process sees.
    Cuda,
}

/// Why a device cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DeviceError {
    /// CUDA was asked for, and libtorch has none.
    #[error(
        "libtorch sees no CUDA device: check that the driver works (nvidia-smi lists a device), that the process loads \
         libtorch_cuda.so from a libtorch 2.11.0 with CUDA, and that CUDA_VISIBLE_DEVICES hides nothing; or use the cpu"
    )]
    NoCuda,
}

/// The name given is not a device.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown device {given:?}: cpu or cuda expected")]
pub struct UnknownDevice {
    given: String,
}

impl Device {
    /// The name in configuration and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    /// Checks that the device can be used; with CUDA, after the program loaded the CUDA library.
    ///
    /// # Errors
    /// [`DeviceError`] with the remedy.
    pub fn require(self) -> Result<(), DeviceError> {
        self.open().map(|_| ())
    }

    /// The library's device.
    pub(crate) fn open(self) -> Result<tch::Device, DeviceError> {
        match self {
            Self::Cpu => Ok(tch::Device::Cpu),
            Self::Cuda if tch::Cuda::is_available() => Ok(tch::Device::Cuda(0)),
            Self::Cuda => Err(DeviceError::NoCuda),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Device {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        [Self::Cpu, Self::Cuda]
            .into_iter()
            .find(|device| device.as_str() == text)
            .ok_or_else(|| UnknownDevice { given: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuda_without_cuda_is_refused_with_the_remedy() {
        if tch::Cuda::is_available() {
            assert_eq!(Device::Cuda.require(), Ok(()));
            return;
        }

        let refusal = Device::Cuda.require().unwrap_err();

        assert_eq!(refusal, DeviceError::NoCuda);
        assert!(refusal.to_string().contains("libtorch_cuda.so"), "{refusal}");
    }

    #[test]
    fn names_are_read_back() {
        for device in [Device::Cpu, Device::Cuda] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        assert!("tpu".parse::<Device>().unwrap_err().to_string().contains("cpu or cuda"));
    }
}
