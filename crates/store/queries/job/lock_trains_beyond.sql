-- Trainings behind the first so many, in the order of the expansion: experiments are numbered in it.
select
    job.id, job.sweep_id, job.kind, job.depends_on, job.state, job.epoch, job.not_before, job.session_id,
    job.failures, job.infrastructure_failures, job.crashes,
    job.max_failures, job.max_infrastructure_failures, job.max_crashes, job.reason,
    clock_timestamp() as "now!"
from job
where job.id in (
    select train.id
    from job as train
    where train.sweep_id = $1 and train.kind = 'train'
    order by train.experiment_id
    offset $2
)
order by job.id
for update
