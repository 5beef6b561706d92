-- As for checkpoints: an attempt at the job's epoch runs.
with current as materialized (
    select job.id
    from job
    join attempt on attempt.job_id = job.id and attempt.epoch = job.epoch
    where job.id = $1 and job.epoch = $2
    for share of job
),
inserted as (
    insert into curve_point (job_id, epoch, step, loss_nats, bits_per_dim, gradient_norm)
    select current.id, $2, point.step, point.loss_nats, point.bits_per_dim, point.gradient_norm
    from current
    cross join unnest($3::bigint[], $4::double precision[], $5::double precision[], $6::double precision[])
        as point(step, loss_nats, bits_per_dim, gradient_norm)
    on conflict do nothing
)
select exists (select from current) as "current!"
