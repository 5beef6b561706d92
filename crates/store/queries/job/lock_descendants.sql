-- The jobs that wait for one of these, those that wait for them, and so on, all in the order of their ids at once: locked wave by
-- wave, two chains that cross could wait for each other.
with recursive waiting(id) as (
    select next.id
    from unnest($1::bigint[]) as parent(id)
    cross join lateral (
        select job.id from job where job.depends_on = parent.id
        union all
        select job_id from job_dependency where parent_id = parent.id
    ) as next
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
where job.id = any(array(select id from waiting)) and job.state = any($2::text[])
order by job.id
for update
