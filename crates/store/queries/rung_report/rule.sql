-- The rule that judges a training; no row when its sweep has none.
select
    job.sweep_id,
    sweep.early_stopping as "rule!",
    (experiment_spec.document #>> '{training,steps}')::bigint as "steps!"
from job
join sweep on sweep.id = job.sweep_id
join experiment on experiment.id = job.experiment_id
join variant on variant.id = experiment.variant_id
join experiment_spec on experiment_spec.fingerprint = variant.fingerprint
where job.id = $1 and job.kind = 'train' and sweep.early_stopping is not null
