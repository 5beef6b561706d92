-- Only attempts that still run are told, and only for jobs that still wait; what was told before stays. The job's row is share-locked, so that whoever ends the
-- attempt comes before or after, never in between.
with given as (
    select *
    from unnest($1::bigint[], $2::integer[], $3::bigint[], $4::integer[], $5::text[])
        as given(job_id, epoch, for_job_id, for_epoch, reason)
),
current as materialized (
    select job.id, job.epoch, job.sweep_id
    from job
    where job.id = any($1::bigint[]) and job.state = 'running'
    order by job.id
    for share
),
told as (
    insert into preemption (job_id, epoch, for_job_id, for_epoch, reason)
    select given.job_id, given.epoch, given.for_job_id, given.for_epoch, given.reason
    from given
    join current on current.id = given.job_id and current.epoch = given.epoch
    join job as waiting
        on waiting.id = given.for_job_id and waiting.epoch = given.for_epoch and waiting.state = 'ready'
    on conflict do nothing
    returning job_id, epoch, reason
),
noted as (
    insert into event (sweep_id, job_id, epoch, kind, detail)
    select current.sweep_id, told.job_id, told.epoch, 'preempted', told.reason
    from told
    join current on current.id = told.job_id
)
select job_id, epoch from told
