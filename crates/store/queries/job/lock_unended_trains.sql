select
    job.id, job.sweep_id, job.kind, job.depends_on, job.state, job.epoch, job.not_before, job.session_id,
    job.failures, job.infrastructure_failures, job.crashes,
    job.max_failures, job.max_infrastructure_failures, job.max_crashes, job.reason,
    clock_timestamp() as "now!"
from job
where job.sweep_id = $1 and job.state in ('blocked', 'ready', 'running') and job.kind = 'train'
order by job.id
for update
