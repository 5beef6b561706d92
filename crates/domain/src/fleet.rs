//! What workers offer and what jobs ask for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A kind of device that runs tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// The processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
}

/// The device that a sweep asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceRequirement {
    /// Whatever the worker has.
    Any,
    /// A processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
}

/// The text given names no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown device `{0}`: one of {1} expected")]
pub struct UnknownDevice(String, &'static str);

/// What a worker offers with each claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The device its child processes run on.
    pub device: DeviceKind,
    /// Bytes of device memory (main memory for a CPU); 0 when unknown.
    pub memory_bytes: u64,
}

impl DeviceKind {
    /// The name in documents and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }
}

impl DeviceRequirement {
    /// The name in documents and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    /// Whether a worker on `device` may run the job.
    #[must_use]
    pub fn is_met_by(self, device: DeviceKind) -> bool {
        match self {
            Self::Any => true,
            Self::Cpu => device == DeviceKind::Cpu,
            Self::Cuda => device == DeviceKind::Cuda,
        }
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for DeviceKind {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        match text {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            _ => Err(UnknownDevice(text.to_owned(), "cpu, cuda")),
        }
    }
}

impl FromStr for DeviceRequirement {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        match text {
            "any" => Ok(Self::Any),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            _ => Err(UnknownDevice(text.to_owned(), "any, cpu, cuda")),
        }
    }
}
