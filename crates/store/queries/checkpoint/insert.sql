-- An attempt at the job's epoch runs, since the epoch grows at every exit. (Asking for the state as well would lead the
-- planner to the index of running jobs, whose dead entries an old snapshot keeps.)
with current as materialized (
    select job.id
    from job
    join attempt on attempt.job_id = job.id and attempt.epoch = job.epoch
    where job.id = $1 and job.epoch = $2
    -- Whoever ends the attempt meanwhile is waited for, and then the epoch is asked for again.
    for share of job
),
inserted as (
    insert into checkpoint (job_id, epoch, step, digest)
    select id, $2, $3, $4::bytea from current
    on conflict do nothing
)
select exists (select from current) as "current!"
