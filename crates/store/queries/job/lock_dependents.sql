-- The jobs that wait for one of these, whatever else they wait for.
select
    job.id, job.sweep_id, job.kind, job.depends_on, job.state, job.epoch, job.not_before, job.session_id,
    job.failures, job.infrastructure_failures, job.crashes,
    job.max_failures, job.max_infrastructure_failures, job.max_crashes, job.reason,
    clock_timestamp() as "now!"
from job
where job.id = any(array(
        select waiting.id from job as waiting where waiting.depends_on = any($1::bigint[])
        union all
        select job_id from job_dependency where parent_id = any($1::bigint[])
    ))
    and job.state = any($2::text[])
order by job.id
for update
