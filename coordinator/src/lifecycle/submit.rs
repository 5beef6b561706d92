//! Submitting: validate, expand, store everything at once.

use domain::{
    SweepId,
    spec::Violations,
    sweep::{Expanded, SweepSpec},
};
use store::{Channel, NewSweep, SubmittedSweep};
use tracing::info;
use uuid::Uuid;

use super::{Lifecycle, LifecycleError};

/// A sweep that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// The sweep.
    pub sweep: SweepId,
    /// Whether this call stored it.
    pub created: bool,
}

impl Lifecycle {
    /// Stores a sweep with all its jobs. The same key, or the same name with the same document, finds the stored one.
    ///
    /// # Errors
    /// [`LifecycleError::Invalid`], [`LifecycleError::NameTaken`], [`LifecycleError::KeyTaken`].
    pub async fn submit(&self, spec: SweepSpec, key: Option<String>) -> Result<Submitted, LifecycleError> {
        let (spec, expanded) = expand(spec).await?;
        let id = SweepId(Uuid::now_v7());
        let sweep = NewSweep { id, spec: &spec, expanded: &expanded, idempotency_key: key.as_deref() };
        let mut transaction = self.store.begin().await?;
        let twin = match transaction.add_sweep(&sweep).await? {
            SubmittedSweep::Stored => {
                transaction.commit().await?;
                info!(sweep_id = %id, sweep = spec.name, jobs = expanded.job_count(), "sweep was submitted");
                self.wakeups.announce(Channel::Ready);
                self.wakeups.announce(Channel::Changed);
                return Ok(Submitted { sweep: id, created: true });
            }
            SubmittedSweep::Taken(twin) => twin,
        };
        if twin.fingerprint == spec.fingerprint() {
            return Ok(Submitted { sweep: twin.id, created: false });
        }
        let (name, id) = (twin.name, twin.id);
        Err(if twin.same_key { LifecycleError::KeyTaken { name, id } } else { LifecycleError::NameTaken { name, id } })
    }
}

/// Expands on a thread of its own: ten thousand documents take longer than a runtime may be blocked.
pub(crate) async fn expand(spec: SweepSpec) -> Result<(SweepSpec, Expanded), Violations> {
    tokio::task::spawn_blocking(move || spec.expand().map(|expanded| (spec, expanded)))
        .await
        .expect("expansion is a pure function of the document and does not panic")
}
