//! The life of a job: its states, the events that move it, and the one function that decides.

mod apply;
mod cascade;
mod effect;
mod event;
pub mod retry;
mod state;

pub use apply::{Rejected, apply};
pub use cascade::Cascades;
pub use effect::{AttemptOutcome, Cascade, Effect, OutcomeKind, Transition};
pub use event::{Dependency, DependencyEnd, Event, FailureKind};
pub use retry::RetryScope;
pub use state::{Budgets, Job, JobKind, State, StateName};
