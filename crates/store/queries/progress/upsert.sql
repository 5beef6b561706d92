-- Writes what is current; yields what is not, and what is to make room.
with given as materialized (
    select *
    from unnest(
        $2::bigint[], $3::integer[], $4::bigint[], $5::bigint[], $6::double precision[], $7::double precision[]
    ) as given(job_id, epoch, done, total, images_per_second, bits_per_dim)
),
current as materialized (
    select distinct on (given.job_id) given.*
    from given
    join attempt
        on attempt.job_id = given.job_id and attempt.epoch = given.epoch and attempt.session_id = $1
    join job on job.id = given.job_id and job.epoch = given.epoch
    order by given.job_id
),
written as (
    insert into progress (job_id, epoch, done, total, images_per_second, bits_per_dim)
    select job_id, epoch, done, total, images_per_second, bits_per_dim from current
    on conflict (job_id) do update set
        epoch = excluded.epoch,
        done = excluded.done,
        total = excluded.total,
        images_per_second = excluded.images_per_second,
        bits_per_dim = excluded.bits_per_dim,
        reported_at = excluded.reported_at
    where progress.epoch <= excluded.epoch
)
select given.job_id as "job_id!", given.epoch as "epoch!", false as "current!"
from given
where not exists (
    select from current where current.job_id = given.job_id and current.epoch = given.epoch
)
union all
select current.job_id, current.epoch, true
from current
join preemption on preemption.job_id = current.job_id and preemption.epoch = current.epoch
