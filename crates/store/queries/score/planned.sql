-- The scores for which a sweep has jobs already. One that the sweep's own rule stopped will never have them.
select experiment.variant_id as "variant_id!", job.experiment_id as "experiment_id!",
    evaluation_target.out_dataset as "out_dataset!", score_target.scores as "scores!"
from job
join experiment on experiment.id = job.experiment_id
join score_target on score_target.job_id = job.id
join evaluation_target on evaluation_target.job_id = job.id
where job.sweep_id = $1 and job.kind in ('score', 'probe') and job.state <> 'stopped'
