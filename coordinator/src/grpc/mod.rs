//! The edge: parse the request once, call the lifecycle or a view, write the answer. No decision is made here.

mod artifact;
mod description;
mod explain;
mod fleet;
mod log;
mod result;
mod rows;
mod status;
mod sweep;
mod table;
mod unreadable;
mod watch;
mod worker;

use domain::{SweepId, spec::Violations};
use store::Store;
use tonic::Status;

pub(crate) use artifact::ArtifactApi;
pub(crate) use fleet::FleetApi;
pub(crate) use result::ResultApi;
pub(crate) use sweep::SweepApi;
pub(crate) use unreadable::{ExplainLayer, MAX_REQUEST_BYTES};
pub(crate) use worker::WorkerApi;

use crate::lifecycle::LifecycleError;

/// Longest name or id that is looked for, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// The sweep that a request names by name or id.
async fn find_sweep(store: &Store, name_or_id: &str) -> Result<SweepId, Status> {
    if name_or_id.is_empty() {
        return Err(status::refused(&Violations::one("sweep", "missing: a name or an id expected")));
    }
    // An answer repeats it, and clients refuse headers of megabytes.
    if name_or_id.len() > MAX_NAME_BYTES {
        let text = format!("{} bytes: names have at most 64, ids 36", name_or_id.len());
        return Err(status::refused(&Violations::one("sweep", text)));
    }
    let found = store.find_sweep(name_or_id).await.map_err(|error| status::of_store(&error))?;
    found.ok_or_else(|| status::of(LifecycleError::NoSuchSweep(name_or_id.escape_default().to_string())))
}
