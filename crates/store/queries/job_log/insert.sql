-- As for checkpoints: an attempt at the job's epoch runs.
with current as materialized (
    select job.id, attempt.started_at
    from job
    join attempt on attempt.job_id = job.id and attempt.epoch = job.epoch
    where job.id = $1 and job.epoch = $2
    for share of job
),
inserted as (
    insert into job_log (job_id, epoch, line, started_at, at, text)
    select
        current.id, $2, given.line, current.started_at,
        clock_timestamp() - make_interval(secs => given.age_secs), given.text
    from current
    cross join unnest($3::integer[], $4::double precision[], $5::text[]) as given(line, age_secs, text)
    on conflict do nothing
)
select exists (select from current) as "current!"
