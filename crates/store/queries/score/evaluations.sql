-- The evaluate jobs of a sweep, in the order in which its table shows them.
select
    job.id as "job_id!", job.experiment_id as "experiment_id!", job.state as "state!",
    experiment.variant_id as "variant_id!", experiment.seed as "seed!", evaluation_target.out_dataset as "out_dataset!",
    experiment_spec.document as "document!"
from job
join experiment on experiment.id = job.experiment_id
join variant on variant.id = experiment.variant_id
join experiment_spec on experiment_spec.fingerprint = variant.fingerprint
join evaluation_target on evaluation_target.job_id = job.id
where job.sweep_id = $1 and job.kind = 'evaluate'
order by variant.ordinal, experiment.id, job.id
