//! Submitting: validate, expand, store everything at once.

use std::collections::BTreeSet;

use domain::{
    Digest, SweepId,
    dispatch::SweepTerms,
    spec::Violations,
    sweep::{Expanded, SweepSpec},
};
use store::{NewSweep, StoredSweep, SubmittedSweep};
use tracing::info;
use uuid::Uuid;

use super::{Lifecycle, LifecycleError, budget};

/// A sweep that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// The sweep.
    pub sweep: SweepId,
    /// Whether this call stored it.
    pub created: bool,
}

/// A sweep that a user submits.
#[derive(Debug)]
pub struct Submission {
    /// The document.
    pub spec: SweepSpec,
    /// The client's own key.
    pub idempotency_key: Option<String>,
    /// Who submits; may be empty.
    pub user: String,
}

impl Lifecycle {
    /// Stores a sweep with all its jobs. The same key, or the same name with the same document, finds the stored one.
    ///
    /// # Errors
    /// [`LifecycleError::Invalid`], [`LifecycleError::NameTaken`], [`LifecycleError::KeyTaken`].
    pub async fn submit(&self, submission: Submission) -> Result<Submitted, LifecycleError> {
        let Submission { spec, idempotency_key, user } = submission;
        let (spec, expanded) = expand(spec).await?;
        self.check_initial_weights(&expanded).await?;
        let id = SweepId(Uuid::now_v7());
        let key = idempotency_key.as_deref();
        let sweep = NewSweep { id, spec: &spec, expanded: &expanded, idempotency_key: key, submitted_by: &user };
        let mut transaction = self.store.begin().await?;
        let twin = match transaction.add_sweep(&sweep).await? {
            SubmittedSweep::Stored(StoredSweep { mut ready, user_weight }) => {
                if let Some(limit) = spec.budget.and_then(|budget| budget.experiments) {
                    budget::leave_out(&mut transaction, id, limit).await?;
                    ready.jobs = ready.jobs.min(limit);
                }
                transaction.commit().await?;
                info!(sweep_id = %id, sweep = spec.name, jobs = expanded.job_count(), "sweep was submitted");
                self.desk.introduce(id, terms(&spec, &user, user_weight));
                self.desk.open(&[ready]);
                self.wakeups.announce_ready([id]);
                self.wakeups.announce_change();
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

    /// Refuses a sweep that starts from weights which nobody stored: its jobs could only fail.
    async fn check_initial_weights(&self, expanded: &Expanded) -> Result<(), LifecycleError> {
        let named = expanded.variants.iter().filter_map(|variant| variant.spec.training.initial_weights);
        let named: Vec<Digest> = named.collect::<BTreeSet<_>>().into_iter().collect();
        if named.is_empty() {
            return Ok(());
        }
        let mut found = Violations::default();
        for digest in self.store.missing_artifacts(&named).await? {
            let message =
                format!("no artifact {digest} is stored: `spillway checkpoint import --store` stores a model");
            found.add("base.training.initial_weights", message);
        }
        Ok(found.into_result()?)
    }
}

fn terms(spec: &SweepSpec, user: &str, user_weight: f64) -> SweepTerms {
    let execution = &spec.execution;
    SweepTerms {
        priority: execution.priority,
        weight: execution.weight,
        max_running: execution.max_running,
        requirement: execution.requirement(),
        user: user.into(),
        user_weight,
    }
}

/// Expands on a thread of its own: ten thousand documents take longer than a runtime may be blocked.
pub(crate) async fn expand(spec: SweepSpec) -> Result<(SweepSpec, Expanded), Violations> {
    tokio::task::spawn_blocking(move || spec.expand().map(|expanded| (spec, expanded)))
        .await
        .expect("expansion is a pure function of the document and does not panic")
}
