//! The edge: parse the request once, call the lifecycle or a view, write the answer. No decision is made here.

mod artifact;
mod explain;
mod fleet;
mod log;
mod result;
mod rows;
mod status;
mod sweep;
mod watch;
mod worker;

use domain::{SweepId, spec::Violations};
use store::Store;
use tonic::Status;

pub(crate) use artifact::ArtifactApi;
pub(crate) use fleet::FleetApi;
pub(crate) use result::ResultApi;
pub(crate) use sweep::SweepApi;
pub(crate) use worker::WorkerApi;

use crate::lifecycle::LifecycleError;

/// The sweep that a request names by name or id.
async fn find_sweep(store: &Store, name_or_id: &str) -> Result<SweepId, Status> {
    if name_or_id.is_empty() {
        return Err(status::refused(&Violations::one("sweep", "missing: a name or an id expected")));
    }
    let found = store.find_sweep(name_or_id).await.map_err(|error| status::of_store(&error))?;
    found.ok_or_else(|| status::of(LifecycleError::NoSuchSweep(name_or_id.escape_default().to_string())))
}
