//! Background services: each has `new`, `run_once` and `run(shutdown)`; what one run misses, the next one finds.

mod acceptor;
mod accountant;
mod dispatcher;
mod listening;
mod looking;
mod notifier;
mod preemptor;
mod reaper;
mod renewer;
mod retention;

pub use acceptor::Acceptor;
pub use accountant::Accountant;
pub use dispatcher::Dispatcher;
#[cfg(test)]
pub(crate) use dispatcher::INTERVAL as POLL_INTERVAL;
pub use listening::Listening;
pub use notifier::Notifier;
pub use preemptor::Preemptor;
pub use reaper::Reaper;
pub use renewer::{Renewals, Renewer};
pub use retention::Retention;
