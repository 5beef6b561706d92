-- A job, everything that waits for it, and everything that any of these waits for: whoever opens a job again must know where the
-- parents of all that follow it stand, and that they stay there. Ordered, as every statement that locks several jobs is.
with recursive waiting(id) as (
    select $1::bigint
    union
    select next.id
    from waiting
    cross join lateral (
        select job.id from job where job.depends_on = waiting.id
        union all
        select job_id from job_dependency where parent_id = waiting.id
    ) as next
)
select
    job.id, job.sweep_id, job.kind, job.depends_on, job.state, job.epoch, job.not_before, job.session_id,
    job.failures, job.infrastructure_failures, job.crashes,
    job.max_failures, job.max_infrastructure_failures, job.max_crashes, job.reason,
    clock_timestamp() as "now!"
from job
where job.id = any(array(
    select id from waiting
    union
    select child.depends_on from waiting join job as child on child.id = waiting.id where child.depends_on is not null
    union
    select parent_id from waiting join job_dependency on job_dependency.job_id = waiting.id
))
order by job.id
for update
