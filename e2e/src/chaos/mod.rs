//! Chaos: real processes under a schedule of faults that a seed fixes, and the proof afterwards that nothing was lost, doubled
//! or changed by a bit.

mod check;
mod clock;
mod faults;
mod field;
mod run;
mod schedule;
mod tally;
mod workload;

pub use clock::WrongClock;
pub use run::{ChaosOptions, run};
pub use schedule::{Fault, Kind, Members, Schedule};
pub use tally::Tally;
pub use workload::Size;
