select
    job.id as job_id, job.experiment_id, job.kind, variant.label as variant, experiment.seed,
    evaluation_target.out_dataset as "out_dataset?", result.checkpoint, result.worker_version, result.device, result.threads,
    result.precision, result.noise_draws, result.accepted_at
from result
join job on job.id = result.job_id
join experiment on experiment.id = job.experiment_id
join variant on variant.id = experiment.variant_id
left join evaluation_target on evaluation_target.job_id = job.id
where job.sweep_id = $1
order by variant.ordinal, experiment.seed, job.id
limit $2
