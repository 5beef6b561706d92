//! Sweeps: storing one with all its jobs, and finding it again.

use std::collections::HashMap;

use domain::{
    Digest, SweepId,
    dispatch::{Lane, LaneReady},
    job::JobKind,
    sweep::{ExecutionSpec, Expanded, SweepSpec},
};
use sqlx::{query_file, query_file_scalar};
use uuid::Uuid;

use crate::{Store, StoreError, Transaction, column};

/// A sweep to store.
#[derive(Debug)]
pub struct NewSweep<'a> {
    /// Its identity.
    pub id: SweepId,
    /// The document.
    pub spec: &'a SweepSpec,
    /// The document written out.
    pub expanded: &'a Expanded,
    /// The client's own key.
    pub idempotency_key: Option<&'a str>,
    /// Who submits it; may be empty.
    pub submitted_by: &'a str,
}

/// What became of a submit.
#[derive(Debug, Clone, PartialEq)]
pub enum SubmittedSweep {
    /// It is stored.
    Stored(StoredSweep),
    /// A sweep of this name or key is stored already.
    Taken(Twin),
}

/// A sweep that was just stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredSweep {
    /// The lane of its train jobs, which are ready.
    pub ready: LaneReady,
    /// The share of the user who submitted it.
    pub user_weight: f64,
}

/// A stored sweep with the name or the key of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// Its identity.
    pub id: SweepId,
    /// Its name.
    pub name: String,
    /// Its document's fingerprint.
    pub fingerprint: Digest,
    /// Whether it was submitted with the same key.
    pub same_key: bool,
}

impl Store {
    /// The sweep with this name or id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_sweep(&self, name_or_id: &str) -> Result<Option<SweepId>, StoreError> {
        // Postgres text holds no NUL byte, and so does no name.
        if name_or_id.contains('\0') {
            return Ok(None);
        }
        let found = query_file_scalar!("queries/sweep/find.sql", name_or_id, name_or_id.parse::<Uuid>().ok())
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.map(SweepId))
    }
}

impl Transaction {
    /// Stores a sweep, its variants, experiments and jobs, unless its name or key is taken.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_sweep(&mut self, sweep: &NewSweep<'_>) -> Result<SubmittedSweep, StoreError> {
        let Some(user_weight) = self.insert_sweep(sweep).await? else {
            let twin = self.twin_of(sweep).await?;
            let twin = twin.ok_or_else(|| StoreError::corrupt("a sweep", "its name was taken and nobody has it"))?;
            return Ok(SubmittedSweep::Taken(twin));
        };
        self.set_rules(sweep.id, sweep.spec).await?;
        let variants = self.insert_variants(sweep).await?;
        let experiments = self.insert_experiments(sweep, &variants).await?;
        let ready = self.insert_jobs(sweep, &experiments).await?;
        self.add_sweep_event(sweep.id, "submitted", "").await?;
        Ok(SubmittedSweep::Stored(StoredSweep { ready, user_weight }))
    }

    /// The stored sweep with the name or the key of this one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn twin_of(&mut self, sweep: &NewSweep<'_>) -> Result<Option<Twin>, StoreError> {
        let twin = query_file!("queries/sweep/find_twin.sql", sweep.spec.name, sweep.idempotency_key)
            .fetch_optional(&mut *self.inner)
            .await?;
        twin.map(|twin| {
            Ok(Twin {
                id: SweepId(twin.id),
                name: twin.name,
                fingerprint: column::digest(&twin.fingerprint)?,
                same_key: twin.same_key,
            })
        })
        .transpose()
    }

    /// Writes a line of the sweep's history that is about no single job.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_sweep_event(&mut self, sweep: SweepId, kind: &str, detail: &str) -> Result<(), StoreError> {
        query_file!("queries/event/insert.sql", sweep.0, kind, detail).execute(&mut *self.inner).await?;
        Ok(())
    }

    /// Yields the share of its user; nothing when the name or key is taken.
    async fn insert_sweep(&mut self, sweep: &NewSweep<'_>) -> Result<Option<f64>, StoreError> {
        let SweepSpec { name, seeds, execution, .. } = sweep.spec;
        let document = json(sweep.spec)?;
        let fingerprint = sweep.spec.fingerprint();
        let user_weight = query_file_scalar!(
            "queries/sweep/insert.sql",
            sweep.id.0,
            name,
            &fingerprint.as_bytes()[..],
            sweep.idempotency_key,
            document,
            execution.priority,
            execution.device.as_str(),
            column::integer(execution.checkpoint_secs),
            i32::try_from(seeds.len()).unwrap_or(i32::MAX),
            sweep.submitted_by,
            column::smallint(execution.weight),
            execution.max_running.map(column::integer),
            column::bigint(u64::from(execution.memory_mib) << 20),
            &execution.labels.iter().map(ToString::to_string).collect::<Vec<_>>(),
            execution.preemptible,
        )
        .fetch_optional(&mut *self.inner)
        .await?;
        Ok(user_weight)
    }

    /// The rows' ids, variant by variant.
    async fn insert_variants(&mut self, sweep: &NewSweep<'_>) -> Result<Vec<i64>, StoreError> {
        let variants = &sweep.expanded.variants;
        let fingerprints: Vec<Vec<u8>> =
            variants.iter().map(|variant| variant.fingerprint.as_bytes().to_vec()).collect();
        let documents = variants.iter().map(|variant| json(&variant.spec)).collect::<Result<Vec<_>, _>>()?;
        query_file!("queries/experiment_spec/insert.sql", &fingerprints, &documents).execute(&mut *self.inner).await?;
        let rows = query_file!(
            "queries/variant/insert.sql",
            sweep.id.0,
            &(0..variants.len()).map(|ordinal| i32::try_from(ordinal).unwrap_or(i32::MAX)).collect::<Vec<_>>(),
            &variants.iter().map(|variant| variant.label.clone()).collect::<Vec<_>>(),
            &fingerprints,
            &variants.iter().map(|variant| variant.spec.data.dataset.to_string()).collect::<Vec<_>>(),
        )
        .fetch_all(&mut *self.inner)
        .await?;
        let mut placed: Vec<(i32, i64)> = rows.into_iter().map(|row| (row.ordinal, row.id)).collect();
        placed.sort_unstable();
        Ok(placed.into_iter().map(|(_, id)| id).collect())
    }

    /// The rows' ids in the order of the planned experiments.
    async fn insert_experiments(&mut self, sweep: &NewSweep<'_>, variants: &[i64]) -> Result<Vec<i64>, StoreError> {
        let planned = &sweep.expanded.experiments;
        let key = |variant: usize, seed: u64| (variants[variant], column::bigint(seed));
        let rows = query_file!(
            "queries/experiment/insert.sql",
            sweep.id.0,
            &planned.iter().map(|experiment| variants[experiment.variant]).collect::<Vec<_>>(),
            &planned.iter().map(|experiment| column::bigint(experiment.seed)).collect::<Vec<_>>(),
            &planned.iter().map(|experiment| experiment.fingerprint.as_bytes().to_vec()).collect::<Vec<_>>(),
        )
        .fetch_all(&mut *self.inner)
        .await?;
        let ids: HashMap<(i64, i64), i64> = rows.into_iter().map(|row| ((row.variant_id, row.seed), row.id)).collect();
        planned
            .iter()
            .map(|experiment| ids.get(&key(experiment.variant, experiment.seed)).copied())
            .collect::<Option<_>>()
            .ok_or_else(|| StoreError::corrupt("an experiment", "it was not returned by its insert"))
    }

    /// Yields the lane of the train jobs.
    async fn insert_jobs(&mut self, sweep: &NewSweep<'_>, experiments: &[i64]) -> Result<LaneReady, StoreError> {
        let row = JobColumns::of(&sweep.spec.execution);
        let inserted = query_file!(
            "queries/job/insert_train.sql",
            sweep.id.0,
            experiments,
            row.device,
            row.priority,
            row.max_failures,
            row.max_infrastructure_failures,
            row.max_crashes
        )
        .fetch_all(&mut *self.inner)
        .await?;
        let oldest = inserted.iter().min_by_key(|row| row.ready_seq);
        let oldest = oldest.ok_or_else(|| StoreError::corrupt("a sweep", "it has no train job"))?;
        let lane = Lane { sweep: sweep.id, kind: JobKind::Train };
        let ready = LaneReady {
            lane,
            oldest: oldest.ready_seq,
            since: column::timestamp(oldest.ready_at),
            jobs: u32::try_from(inserted.len()).unwrap_or(u32::MAX),
        };
        let trains = inserted.iter().map(|row| (row.experiment_id, row.id)).collect();
        self.insert_evaluations(sweep, experiments, &trains, &row).await?;
        self.insert_inspections(sweep, experiments, &trains, &row).await?;
        Ok(ready)
    }

    async fn insert_evaluations(
        &mut self,
        sweep: &NewSweep<'_>,
        experiments: &[i64],
        trains: &HashMap<i64, i64>,
        row: &JobColumns,
    ) -> Result<(), StoreError> {
        let mut targets: (Vec<i64>, Vec<i64>, Vec<String>) = Default::default();
        for (planned, experiment) in sweep.expanded.experiments.iter().zip(experiments) {
            for out in &sweep.expanded.variants[planned.variant].spec.evaluation.out {
                targets.0.push(trains[experiment]);
                targets.1.push(*experiment);
                targets.2.push(out.to_string());
            }
        }
        query_file!(
            "queries/job/insert_evaluate.sql",
            sweep.id.0,
            &targets.0,
            &targets.1,
            &targets.2,
            row.device,
            row.priority,
            row.max_failures,
            row.max_infrastructure_failures,
            row.max_crashes
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    async fn insert_inspections(
        &mut self,
        sweep: &NewSweep<'_>,
        experiments: &[i64],
        trains: &HashMap<i64, i64>,
        row: &JobColumns,
    ) -> Result<(), StoreError> {
        let planned = sweep.expanded.experiments.iter().zip(experiments);
        let inspected: Vec<i64> = planned
            .filter(|(planned, _)| sweep.expanded.variants[planned.variant].spec.inspection.is_some())
            .map(|(_, experiment)| *experiment)
            .collect();
        if inspected.is_empty() {
            return Ok(());
        }
        query_file!(
            "queries/job/insert_inspect.sql",
            sweep.id.0,
            &inspected.iter().map(|experiment| trains[experiment]).collect::<Vec<_>>(),
            &inspected,
            row.device,
            row.priority,
            row.max_failures,
            row.max_infrastructure_failures,
            row.max_crashes
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}

/// What every job of a sweep takes from its document.
pub(crate) struct JobColumns {
    pub(crate) device: &'static str,
    pub(crate) priority: i16,
    pub(crate) max_failures: i16,
    pub(crate) max_infrastructure_failures: i16,
    pub(crate) max_crashes: i16,
}

impl JobColumns {
    pub(crate) fn of(execution: &ExecutionSpec) -> Self {
        Self {
            device: execution.device.as_str(),
            priority: execution.priority,
            max_failures: column::smallint(execution.max_failures),
            max_infrastructure_failures: column::smallint(execution.max_infrastructure_failures),
            max_crashes: column::smallint(execution.max_crashes),
        }
    }
}

pub(crate) fn json<T: serde::Serialize>(document: &T) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(document).map_err(|error| StoreError::corrupt("a document", error))
}
