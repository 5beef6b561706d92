//! Submitting: validate, expand, store everything at once.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    Digest, SweepId,
    dispatch::SweepTerms,
    spec::Violations,
    sweep::{Expanded, SweepSpec},
};
use store::{NewSweep, StoredSweep, SubmittedSweep, Transaction};
use tracing::info;
use uuid::Uuid;

use super::{Lifecycle, LifecycleError, budget, rescore};
use crate::telemetry::SubmitRefusal;

/// When to submit again after a quota was met: a job takes minutes.
const QUOTA_RETRY_AFTER: Duration = Duration::from_secs(60);

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
    /// [`LifecycleError::Invalid`], [`LifecycleError::NameTaken`], [`LifecycleError::KeyTaken`]; [`LifecycleError::Crowded`] and
    /// [`LifecycleError::OverQuota`], which a later call may not meet.
    pub async fn submit(&self, submission: Submission) -> Result<Submitted, LifecycleError> {
        let counts = self.telemetry.edge();
        let submitted = self.submit_in_turn(submission).await;
        match &submitted {
            Ok(Submitted { created: true, .. }) => {}
            Ok(Submitted { created: false, .. }) => counts.submit_repeated(),
            Err(error) => counts.submit_refused(refusal_of(error)),
        }
        submitted
    }

    async fn submit_in_turn(&self, submission: Submission) -> Result<Submitted, LifecycleError> {
        let _turn = self.turnstile.enter(self.telemetry.edge()).await?;
        let Submission { spec, idempotency_key, user } = submission;
        let (spec, expanded) = expand(spec).await?;
        self.check_initial_weights(&expanded).await?;
        let id = SweepId(Uuid::now_v7());
        let key = idempotency_key.as_deref();
        let sweep = NewSweep { id, spec: &spec, expanded: &expanded, idempotency_key: key, submitted_by: &user };
        let mut transaction = self.store.begin().await?;
        self.check_quota(&mut transaction, &sweep).await?;
        let twin = match transaction.add_sweep(&sweep).await? {
            SubmittedSweep::Stored(StoredSweep { mut ready, user_weight }) => {
                rescore::add_opt_in_scores(&mut transaction, id, &spec, &expanded).await?;
                if let Some(limit) = spec.budget.and_then(|budget| budget.experiments) {
                    budget::leave_out(&mut transaction, id, limit).await?;
                    ready.jobs = ready.jobs.min(limit);
                }
                transaction.commit().await?;
                let jobs = expanded.job_count();
                info!(sweep_id = %id, sweep = spec.name, user, jobs, "sweep was submitted");
                self.telemetry.edge().submitted(jobs);
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

    /// Refuses a sweep that would give its user more open jobs than allowed. What is stored already is no new work.
    async fn check_quota(&self, transaction: &mut Transaction, sweep: &NewSweep<'_>) -> Result<(), LifecycleError> {
        let Some(most) = self.limits.open_jobs_per_user else { return Ok(()) };
        let open_jobs = transaction.lock_open_jobs(sweep.submitted_by).await?;
        let jobs = jobs_within_budget(sweep) as u64;
        if open_jobs + jobs <= most || transaction.twin_of(sweep).await?.is_some() {
            return Ok(());
        }
        self.require_room(sweep.submitted_by, open_jobs, jobs, most)
    }

    /// Refuses jobs beyond the quota of a user, who has `open_jobs` already.
    pub(super) fn require_room(&self, user: &str, open_jobs: u64, jobs: u64, most: u64) -> Result<(), LifecycleError> {
        if jobs == 0 || open_jobs + jobs <= most {
            return Ok(());
        }
        let user = match user {
            "" => "whoever submits without a name".to_owned(),
            name => format!("user `{}`", name.escape_default()),
        };
        Err(LifecycleError::OverQuota { user, open_jobs, jobs, most, retry_after: QUOTA_RETRY_AFTER })
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

/// Jobs that a sweep brings: those of experiments beyond its budget are ended at once.
fn jobs_within_budget(sweep: &NewSweep<'_>) -> usize {
    let (jobs, experiments) = (sweep.expanded.job_count(), sweep.expanded.experiments.len());
    let limit = sweep.spec.budget.and_then(|budget| budget.experiments).map_or(experiments, |limit| limit as usize);
    (jobs * limit.min(experiments)).div_ceil(experiments.max(1))
}

fn refusal_of(error: &LifecycleError) -> SubmitRefusal {
    match error {
        LifecycleError::Invalid(_) => SubmitRefusal::Invalid,
        LifecycleError::NameTaken { .. } | LifecycleError::KeyTaken { .. } => SubmitRefusal::Taken,
        LifecycleError::Crowded { .. } => SubmitRefusal::Busy,
        LifecycleError::OverQuota { .. } => SubmitRefusal::Quota,
        // Nothing else comes of a submit than an outage.
        _ => SubmitRefusal::Unavailable,
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
