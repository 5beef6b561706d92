-- The scores that evaluate jobs of a sweep have measured.
select distinct
    job.experiment_id as "experiment_id!", experiment.variant_id as "variant_id!",
    evaluation_target.out_dataset as "out_dataset!",
    measurement.score as "score!"
from job
join experiment on experiment.id = job.experiment_id
join evaluation_target on evaluation_target.job_id = job.id
join measurement on measurement.job_id = job.id
where job.sweep_id = $1 and job.kind = 'evaluate'
