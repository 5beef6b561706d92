//! Identifiers, one type each, so that a job is never mistaken for an experiment.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl std::str::FromStr for $name {
            type Err = <$inner as std::str::FromStr>::Err;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// Names a sweep.
    SweepId(Uuid)
);
id!(
    /// Names an experiment: one point of a sweep.
    ExperimentId(i64)
);
id!(
    /// Names a job.
    JobId(i64)
);
id!(
    /// Names one process start of a worker.
    SessionId(Uuid)
);
id!(
    /// A job's fencing token: grows at every exit from `running` and never resets. Every report carries it.
    Epoch(i32)
);

impl Epoch {
    /// The token of the next attempt.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("two thousand million attempts at one job cannot happen"))
    }
}
