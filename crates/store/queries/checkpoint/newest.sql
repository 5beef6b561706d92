select job.id as "job_id!", checkpoint.digest, checkpoint.step
from unnest($1::bigint[]) as job(id)
cross join lateral (
    select digest, step, epoch
    from checkpoint
    where checkpoint.job_id = job.id
    order by step desc, epoch desc
    limit $2
) as checkpoint
order by job.id, checkpoint.step desc, checkpoint.epoch desc
