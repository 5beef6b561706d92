//! What must hold afterwards, read from the tables.

use anyhow::Context;

use crate::Cluster;

/// Statements whose every row is a violation, each with what it means.
const FORBIDDEN: [(&str, &str); 9] = [
    ("a job did not succeed", "select id, kind, state, coalesce(reason, '') from job where state <> 'succeeded'"),
    (
        "a job has not exactly one result",
        "select job.id, count(result.job_id) from job left join result on result.job_id = job.id \
         group by job.id having count(result.job_id) <> 1",
    ),
    (
        "an attempt has not exactly one outcome",
        "select attempt.job_id, attempt.epoch, count(outcome.job_id) from attempt \
         left join attempt_outcome as outcome using (job_id, epoch) \
         group by 1, 2 having count(outcome.job_id) <> 1",
    ),
    (
        "a job has not exactly one successful attempt",
        "select job.id, count(outcome.job_id) from job \
         left join attempt_outcome as outcome on outcome.job_id = job.id and outcome.kind = 'succeeded' \
         group by job.id having count(outcome.job_id) <> 1",
    ),
    (
        "a result is of another attempt than the one that succeeded",
        "select result.job_id, result.epoch from result left join attempt_outcome as outcome using (job_id, epoch) \
         where outcome.kind is distinct from 'succeeded'",
    ),
    (
        "two attempts of a job overlap",
        "select job_id, epoch, started_at, ended_before from ( \
             select job_id, attempt.epoch, started_at, \
                 lag(ended_at) over (partition by job_id order by attempt.epoch) as ended_before \
             from attempt join attempt_outcome using (job_id, epoch) \
         ) as attempts where started_at < ended_before",
    ),
    (
        "a checkpoint was taken from an attempt that had ended",
        "select job_id, checkpoint.epoch, step from checkpoint join attempt_outcome as outcome using (job_id, epoch) \
         where stored_at > ended_at and outcome.kind <> 'succeeded'",
    ),
    (
        "the learned dataset was not recorded exactly once, by the job that learned it",
        "select job.id, job.kind, count(recorded.job_id) from job join experiment on experiment.id = job.experiment_id \
         join variant on variant.id = experiment.variant_id \
         left join recorded_statistics as recorded \
             on recorded.job_id = job.id and recorded.dataset = variant.in_dataset \
         group by job.id having count(recorded.job_id) <> case job.kind when 'train' then 2 else 0 end",
    ),
    (
        "a job ran before the one that it waits for had its result",
        "select job.id, attempt.epoch from job join attempt on attempt.job_id = job.id \
         left join result as needed on needed.job_id = job.depends_on \
         where job.depends_on is not null and (needed.accepted_at is null or needed.accepted_at > attempt.started_at)",
    ),
];

/// Every digest and number of a sweep, under the names of its experiments.
const RESULTS: &str = "
    select concat_ws('|', 'digest', job.kind, variant.ordinal, experiment.seed, target.out_dataset,
        encode(coalesce(result.checkpoint, result.statistics), 'hex'), result.figures)
    from result join job on job.id = result.job_id
    join experiment on experiment.id = job.experiment_id join variant on variant.id = experiment.variant_id
    join sweep on sweep.id = job.sweep_id left join evaluation_target as target on target.job_id = job.id
    where sweep.name = '{sweep}'
    union all
    select concat_ws('|', 'number', variant.ordinal, experiment.seed, score, metric, measurement.dataset, value, ci_low, ci_high,
        ci_method, n_in, n_out)
    from measurement join job on job.id = measurement.job_id
    join experiment on experiment.id = job.experiment_id join variant on variant.id = experiment.variant_id
    join sweep on sweep.id = job.sweep_id
    where sweep.name = '{sweep}'
    union all
    select concat_ws('|', 'statistics', job.kind, variant.ordinal, experiment.seed, dataset, split, images, noise_draws,
        encode(digest, 'hex'))
    from recorded_statistics join job on job.id = recorded_statistics.job_id
    join experiment on experiment.id = job.experiment_id join variant on variant.id = experiment.variant_id
    join sweep on sweep.id = job.sweep_id
    where sweep.name = '{sweep}'
    union all
    select concat_ws('|', 'figure', variant.ordinal, experiment.seed, figure.ordinal, figure.name, encode(digest, 'hex'), width,
        height, caption)
    from figure join job on job.id = figure.job_id
    join experiment on experiment.id = job.experiment_id join variant on variant.id = experiment.variant_id
    join sweep on sweep.id = job.sweep_id
    where sweep.name = '{sweep}'
    union all
    select concat_ws('|', 'curve', variant_label, seed, step, loss_nats, bits_per_dim, gradient_norm)
    from (select variant as variant_label, * from training_curve where sweep = '{sweep}') as curve
    order by 1
";

/// Every digest and number of a sweep, in a fixed order.
///
/// # Errors
/// When psql fails.
pub(super) fn results(cluster: &Cluster, sweep: &str) -> anyhow::Result<Vec<String>> {
    let rows = cluster.sql(&RESULTS.replace("{sweep}", sweep)).with_context(|| format!("the results of {sweep}"))?;
    Ok(rows.lines().map(str::to_owned).collect())
}

/// Everything in the tables that must not be.
///
/// # Errors
/// When psql fails.
pub(super) fn violations(cluster: &Cluster) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for (meaning, statement) in FORBIDDEN {
        let rows = cluster.sql(statement).with_context(|| format!("looking whether {meaning}"))?;
        found.extend(rows.lines().filter(|row| !row.is_empty()).map(|row| format!("{meaning}: {row}")));
    }
    Ok(found)
}

/// How the results of a sweep differ from the undisturbed ones: the first few lines that only one of them has.
pub(super) fn differences(sweep: &str, found: &[String], expected: &[String]) -> Vec<String> {
    const SHOWN: usize = 6;
    let missing = expected.iter().filter(|line| !found.contains(line)).map(|line| format!("missing {line}"));
    let surplus = found.iter().filter(|line| !expected.contains(line)).map(|line| format!("instead {line}"));
    missing.chain(surplus).take(SHOWN).map(|line| format!("sweep {sweep} differs: {line}")).collect()
}
