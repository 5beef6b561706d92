-- The jobs of a sweep that ended without a result, and those that they wait for: whoever opens a job again must know where its
-- parents stand, and that they stay there. Ordered, as every statement that locks several jobs is.
select
    job.id, job.sweep_id, job.kind, job.depends_on, job.state, job.epoch, job.not_before, job.session_id,
    job.failures, job.infrastructure_failures, job.crashes,
    job.max_failures, job.max_infrastructure_failures, job.max_crashes, job.reason,
    clock_timestamp() as "now!"
from job
where job.id = any(array(
    select ended.id from job as ended where ended.sweep_id = $1 and ended.state in ('failed', 'cancelled', 'quarantined')
    union
    select ended.depends_on
    from job as ended
    where ended.sweep_id = $1 and ended.state in ('failed', 'cancelled', 'quarantined') and ended.depends_on is not null
    union
    select job_dependency.parent_id
    from job as ended
    join job_dependency on job_dependency.job_id = ended.id
    where ended.sweep_id = $1 and ended.state in ('failed', 'cancelled', 'quarantined')
))
order by job.id
for update
