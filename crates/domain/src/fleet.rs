//! What workers offer and what jobs ask for.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Digest, job::JobKind};

/// Most labels of a worker, and most that a sweep may ask for.
pub const MAX_LABELS: usize = 16;
/// Longest label, in bytes.
pub const MAX_LABEL_LEN: usize = 64;
/// Most artifacts that an offer may name.
pub const MAX_OFFERED_ARTIFACTS: usize = 64;

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

/// Something that a worker has and a sweep may ask for, such as `a100`, `site=oslo` or `scratch-nvme`: lower-case letters,
/// digits, `.`, `_`, `=`, `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

/// The text given is no label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a label: 1 to {MAX_LABEL_LEN} lower-case letters, digits, `.`, `_`, `=` and `-` allowed, such as `a100` or `site=oslo`"
)]
pub struct NotALabel(String);

/// What a worker offers with each claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The device its child processes run on.
    pub device: DeviceKind,
    /// Bytes of device memory (main memory for a CPU); 0 when unknown.
    pub memory_bytes: u64,
    /// What else the worker has.
    pub labels: BTreeSet<Label>,
    /// Artifacts that lie on the worker's own disk: a job that needs one of them is preferred among its equals.
    pub artifacts: Vec<Digest>,
}

/// What a sweep asks of the workers that run its jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The device.
    pub device: DeviceRequirement,
    /// Bytes of device memory at least; 0 asks for none.
    pub memory_bytes: u64,
    /// Labels that the worker must have, all of them.
    pub labels: BTreeSet<Label>,
}

/// One thing that an offer lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lacking {
    /// The device is another one.
    Device(DeviceRequirement),
    /// The device's memory is smaller than this, or unknown.
    Memory(u64),
    /// This label is missing.
    Label(Label),
}

impl Requirement {
    /// Whether a worker with this offer may run the job.
    #[must_use]
    pub fn is_met_by(&self, offer: &Offer) -> bool {
        self.device.is_met_by(offer.device)
            && self.memory_bytes <= offer.memory_bytes
            && self.labels.is_subset(&offer.labels)
    }

    /// As [`Requirement::is_met_by`] for a job of `kind`, of a sweep that asks for this.
    #[must_use]
    pub fn is_met_for(&self, kind: JobKind, offer: &Offer) -> bool {
        !kind.runs_flow() || self.is_met_by(offer)
    }

    /// What a job of `kind` asks for, of a sweep that asks for this: without a flow, nothing.
    #[must_use]
    pub fn of_kind(self, kind: JobKind) -> Self {
        if kind.runs_flow() {
            return self;
        }
        Self { device: DeviceRequirement::Any, memory_bytes: 0, labels: BTreeSet::new() }
    }

    /// Everything that the offer lacks.
    #[must_use]
    pub fn lacking(&self, offer: &Offer) -> Vec<Lacking> {
        let device = (!self.device.is_met_by(offer.device)).then_some(Lacking::Device(self.device));
        let memory = (self.memory_bytes > offer.memory_bytes).then_some(Lacking::Memory(self.memory_bytes));
        let labels = self.labels.difference(&offer.labels).cloned().map(Lacking::Label);
        device.into_iter().chain(memory).chain(labels).collect()
    }
}

impl fmt::Display for Lacking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(device) => write!(formatter, "device {}", device.as_str()),
            Self::Memory(bytes) => write!(formatter, "{} MiB of device memory", bytes >> 20),
            Self::Label(label) => write!(formatter, "label {label}"),
        }
    }
}

impl Label {
    /// The label's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = NotALabel;

    fn from_str(text: &str) -> Result<Self, NotALabel> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._=-".contains(&byte);
        if text.is_empty() || text.len() > MAX_LABEL_LEN || !text.bytes().all(allowed) {
            let shown: String = text.escape_default().take(2 * MAX_LABEL_LEN).collect();
            return Err(NotALabel(shown));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Label {
    type Error = NotALabel;

    fn try_from(text: String) -> Result<Self, NotALabel> {
        text.parse()
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> BTreeSet<Label> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn an_offer_must_meet_device_memory_and_every_label() {
        let requirement = Requirement {
            device: DeviceRequirement::Cuda,
            memory_bytes: 8 << 30,
            labels: labels(&["a100", "site=oslo"]),
        };
        let offer = Offer {
            device: DeviceKind::Cuda,
            memory_bytes: 8 << 30,
            labels: labels(&["a100", "fast", "site=oslo"]),
            artifacts: Vec::new(),
        };
        assert!(requirement.is_met_by(&offer));
        assert_eq!(requirement.lacking(&offer), []);

        let poor = Offer { device: DeviceKind::Cpu, memory_bytes: 0, labels: labels(&["a100"]), artifacts: Vec::new() };
        assert!(!requirement.is_met_by(&poor));
        let lacking: Vec<String> = requirement.lacking(&poor).iter().map(ToString::to_string).collect();
        assert_eq!(lacking, ["device cuda", "8192 MiB of device memory", "label site=oslo"]);
    }

    #[test]
    fn what_is_no_label_is_refused_with_what_is_allowed() {
        for text in ["", "A100", "two words", "nul\0", &"x".repeat(65)] {
            let refusal = text.parse::<Label>().unwrap_err().to_string();

            assert!(refusal.contains("lower-case letters"), "{text:?}: {refusal}");
        }
    }
}
