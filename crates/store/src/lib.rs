//! Postgres: the queue, the store of results and the clock. The only crate that speaks SQL.
//!
//! Statements stand in `queries/<table>/<verb>.sql` and are checked against the schema when this crate is compiled. A state of a job
//! changes in one way only: lock its row, ask [`domain::job::apply`], save what it says, all in one [`Transaction`].

mod artifact;
mod assignment;
mod checkpoint;
mod claim;
mod column;
mod completion;
mod connection;
mod curve_point;
mod description;
mod error;
mod events;
mod figures;
mod fleet;
mod history;
mod job;
mod job_log;
mod lane;
mod preemption;
mod progress;
mod quota;
mod sample;
mod score_jobs;
mod session;
mod standing;
mod statistics;
mod stopping;
mod sweep;
mod tables;
mod transaction;
mod transition;
mod validation_point;
pub mod views;

pub use claim::{ClaimedJob, Slot, SlotOutcome};
pub use completion::PriorOutcome;
pub use connection::{Connection, Store, without_password};
pub use curve_point::Currency;
pub use description::{ProvenanceRow, ValidationRow, VariantDocument};
pub use error::StoreError;
pub use events::{Channel, Hint, Listener};
pub use figures::FigureRow;
pub use fleet::{HeldJob, OpenSession, Sessions, WorkerRow, WorkersNamed};
pub use history::{HistoryMark, Maintenance};
pub use job::{LockedJob, Parents};
pub use job_log::{LogPosition, LogScope, LogStanding, StoredLine};
pub use sample::{LeaseStanding, OldestReady, PoolStatus, QueueDepth, QueueSample, SessionCount};
pub use score_jobs::{Scored, StoredTerms};
pub use session::{NewSession, RenewedSession, SessionStanding};
pub use standing::{AttemptRow, JobStanding};
pub use statistics::StatisticsRow;
pub use stopping::{RungReport, SpentBudget, StoppingRule};
pub use sweep::{NewSweep, StoredSweep, SubmittedSweep, Twin};
pub use tables::{BitsPerDimRow, ExperimentRow, TableFilter, TableRow, VariantName};
pub use transaction::Transaction;
pub use transition::{Applied, Change, Ending, TransitionError};
