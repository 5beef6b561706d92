//! Rows of views as messages.

use domain::Digest;
use proto::{
    convert::ToWire,
    v1::{self, TrainingCurvePoint},
};
use store::{
    BitsPerDimRow, ExperimentRow, FigureRow, StatisticsRow, TableRow, ValidationRow,
    views::{AurocRow, CurveRow, EvaluationRow, JobRow, SweepSummary},
};

/// A count that a CHECK keeps at zero or above and a sweep's size below 2³².
pub(super) fn count(column: i64) -> u32 {
    u32::try_from(column.max(0)).unwrap_or(u32::MAX)
}

fn small_count(column: i16) -> u32 {
    count(i64::from(column))
}

/// A count that a CHECK keeps at zero or above.
pub(super) fn large_count(column: i64) -> u64 {
    column.max(0).unsigned_abs()
}

pub(super) fn summary(row: &SweepSummary) -> v1::SweepSummary {
    v1::SweepSummary {
        id: row.id.to_string(),
        name: row.name.clone(),
        description: row.description.clone(),
        created_at: Some(row.created().to_wire()),
        variants: count(row.variants),
        experiments: count(row.experiments),
        jobs: Some(v1::JobCounts {
            blocked: count(row.blocked),
            ready: count(row.ready),
            running: count(row.running),
            succeeded: count(row.succeeded),
            failed: count(row.failed),
            cancelled: count(row.cancelled),
            quarantined: count(row.quarantined),
            stopped: count(row.stopped),
        }),
    }
}

pub(super) fn auroc(row: AurocRow) -> v1::AurocRow {
    v1::AurocRow {
        sweep: row.sweep,
        variant: row.variant,
        in_dataset: row.in_dataset,
        out_dataset: row.out_dataset,
        score: row.score,
        seeds: count(row.seeds),
        seeds_planned: count(i64::from(row.seeds_planned)),
        auroc_mean: row.auroc_mean,
        seeds_undefined: count(row.seeds_undefined),
        auroc_sd: row.auroc_sd,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        ci_method: row.ci_method.unwrap_or_default(),
        n_in: large_count(row.n_in),
        n_out: large_count(row.n_out),
        seeds_stopped: count(row.seeds_stopped),
    }
}

pub(super) fn evaluation(row: EvaluationRow) -> v1::EvaluationRow {
    v1::EvaluationRow {
        sweep: row.sweep,
        variant: row.variant,
        seed: large_count(row.seed),
        in_dataset: row.in_dataset,
        out_dataset: row.out_dataset,
        score: row.score,
        metric: row.metric,
        dataset: row.dataset.unwrap_or_default(),
        value: row.value,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        ci_method: row.ci_method.unwrap_or_default(),
        n_in: large_count(row.n_in),
        n_out: large_count(row.n_out),
    }
}

pub(super) fn table(row: TableRow) -> v1::TableRow {
    v1::TableRow {
        sweep: row.sweep,
        variant: row.variant,
        in_dataset: row.in_dataset,
        out_dataset: row.out_dataset,
        score: row.score,
        metric: row.metric,
        dataset: row.dataset.unwrap_or_default(),
        seed: row.seed.map(large_count),
        experiment_id: row.experiment_id,
        seeds: count(row.seeds),
        seeds_planned: count(i64::from(row.seeds_planned)),
        seeds_undefined: count(row.seeds_undefined),
        seeds_stopped: count(row.seeds_stopped),
        partial: row.partial,
        mean: row.mean,
        sd: row.sd,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        ci_method: row.ci_method.unwrap_or_default(),
        n_in: large_count(row.n_in),
        n_out: large_count(row.n_out),
        device: row.device.unwrap_or_default(),
        precision: row.precision.unwrap_or_default(),
        noise_draws: count(i64::from(row.noise_draws.unwrap_or_default())),
        worker_version: row.worker_version.unwrap_or_default(),
    }
}

pub(super) fn bits_per_dim(row: BitsPerDimRow) -> v1::BitsPerDimRow {
    v1::BitsPerDimRow {
        sweep: row.sweep,
        variant: row.variant,
        dataset: row.dataset,
        in_distribution: row.in_distribution,
        seeds: count(row.seeds),
        seeds_planned: count(i64::from(row.seeds_planned)),
        images: large_count(row.images),
        mean: row.mean,
        mean_sd: row.mean_sd,
        median: row.median,
        median_sd: row.median_sd,
        trimmed: row.trimmed,
        trimmed_sd: row.trimmed_sd,
        outliers: row.outliers,
        non_finite: row.non_finite,
    }
}

/// `asked` are the paths of the row's settings.
pub(super) fn experiment(row: ExperimentRow, asked: &[String]) -> v1::ExperimentRow {
    let settings = asked.iter().cloned().zip(row.settings);
    v1::ExperimentRow {
        sweep: row.sweep,
        variant: row.variant,
        seed: large_count(row.seed),
        experiment_id: row.experiment_id,
        state: row.state,
        in_dataset: row.in_dataset,
        checkpoint: row.checkpoint.as_deref().map(digest).unwrap_or_default(),
        jobs_done: count(row.jobs_done),
        jobs_total: count(row.jobs_total),
        settings: settings.filter_map(|(path, value)| Some((path, value?))).collect(),
    }
}

pub(super) fn job(row: JobRow) -> v1::JobRow {
    v1::JobRow {
        started_at: row.started().map(|at| at.to_wire()),
        ended_at: row.ended().map(|at| at.to_wire()),
        job_id: row.job_id,
        experiment_id: row.experiment_id,
        kind: row.kind,
        variant: row.variant,
        seed: large_count(row.seed),
        out_dataset: row.out_dataset.unwrap_or_default(),
        state: row.state,
        epoch: row.epoch,
        attempts: count(row.attempts),
        failures: small_count(row.failures),
        infrastructure_failures: small_count(row.infrastructure_failures),
        crashes: small_count(row.crashes),
        worker: row.worker.unwrap_or_default(),
        reason: row.reason.unwrap_or_default(),
    }
}

pub(super) fn running(row: JobRow) -> v1::RunningJob {
    v1::RunningJob {
        job_id: row.job_id,
        kind: row.kind,
        variant: row.variant,
        seed: large_count(row.seed),
        out_dataset: row.out_dataset.unwrap_or_default(),
        worker: row.worker.unwrap_or_default(),
        done: large_count(row.done.unwrap_or_default()),
        total: large_count(row.total.unwrap_or_default()),
        images_per_second: row.images_per_second.unwrap_or_default(),
        bits_per_dim: row.bits_per_dim,
    }
}

pub(super) fn ended(row: JobRow) -> v1::EndedJob {
    v1::EndedJob {
        job_id: row.job_id,
        kind: row.kind,
        variant: row.variant,
        seed: large_count(row.seed),
        out_dataset: row.out_dataset.unwrap_or_default(),
        state: row.state,
        reason: row.reason.unwrap_or_default(),
    }
}

pub(super) fn curve_point(row: CurveRow) -> TrainingCurvePoint {
    TrainingCurvePoint {
        step: large_count(row.step),
        loss_nats: row.loss_nats,
        bits_per_dim: row.bits_per_dim,
        gradient_norm: row.gradient_norm,
    }
}

pub(super) fn validation_point(row: ValidationRow) -> v1::ValidationCurvePoint {
    let ValidationRow { step, bits_per_dim, auroc } = row;
    v1::ValidationCurvePoint { step: large_count(step), bits_per_dim, auroc }
}

pub(super) fn statistics(row: StatisticsRow) -> v1::StatisticsRow {
    v1::StatisticsRow {
        sweep: row.sweep,
        variant: row.variant,
        seed: large_count(row.seed),
        experiment_id: row.experiment_id,
        job_id: row.job_id,
        dataset: row.dataset,
        split: row.split,
        images: large_count(row.images),
        noise_draws: count(i64::from(row.noise_draws)),
        digest: digest(&row.digest),
        bytes: large_count(row.bytes),
    }
}

/// A digest stands in hexadecimal in the views, which a CHECK keeps sound.
fn digest(hexadecimal: &str) -> Vec<u8> {
    hexadecimal.parse::<Digest>().map(|digest| digest.to_wire()).unwrap_or_default()
}

pub(super) fn figure(row: FigureRow) -> v1::FigureRow {
    v1::FigureRow {
        sweep: row.sweep,
        variant: row.variant,
        seed: large_count(row.seed),
        experiment_id: row.experiment_id,
        job_id: row.job_id,
        name: row.name,
        caption: row.caption,
        digest: digest(&row.digest),
        media_type: row.media_type,
        width: count(i64::from(row.width)),
        height: count(i64::from(row.height)),
        bytes: large_count(row.bytes),
        device: row.device,
        precision: row.precision,
        noise_draws: count(i64::from(row.noise_draws)),
        threads: count(i64::from(row.threads)),
        worker_version: row.worker_version,
    }
}
