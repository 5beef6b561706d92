-- As for points of the training curve: an attempt at the job's epoch runs.
with current as materialized (
    select job.id
    from job
    join attempt on attempt.job_id = job.id and attempt.epoch = job.epoch
    where job.id = $1 and job.epoch = $2
    for share of job
),
inserted as (
    insert into validation_point (job_id, epoch, step, bits_per_dim, auroc)
    select current.id, $2, point.step, point.bits_per_dim, point.auroc
    from current
    cross join unnest($3::bigint[], $4::double precision[], $5::double precision[]) as point(step, bits_per_dim, auroc)
    on conflict do nothing
)
select exists (select from current) as "current!"
