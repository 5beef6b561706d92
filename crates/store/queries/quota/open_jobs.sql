-- From the user's sweeps by the index `job_sweep`, one probe for each state: jobs that have ended are never read.
select coalesce(sum(open.jobs), 0)::bigint as "jobs!"
from sweep
cross join lateral (
    select count(*) as jobs
    from job
    where job.sweep_id = sweep.id and job.state in ('blocked', 'ready', 'running')
) as open
where sweep.submitted_by = $1
