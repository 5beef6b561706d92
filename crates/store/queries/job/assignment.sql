select
    job.kind,
    job.sweep_id,
    job.experiment_id,
    experiment.seed,
    experiment_spec.document as spec,
    sweep.checkpoint_secs,
    evaluation_target.out_dataset as "out_dataset?",
    result.checkpoint as "trained?",
    (
        select max(checkpoint.step)
        from checkpoint
        where checkpoint.job_id = job.depends_on and checkpoint.digest = result.checkpoint
    ) as "trained_step?"
from job
join experiment on experiment.id = job.experiment_id
join variant on variant.id = experiment.variant_id
join experiment_spec on experiment_spec.fingerprint = variant.fingerprint
join sweep on sweep.id = job.sweep_id
left join evaluation_target on evaluation_target.job_id = job.id
left join result on result.job_id = job.depends_on
where job.id = $1
