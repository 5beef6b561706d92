select
    job_id as "job_id!", experiment_id as "experiment_id!", kind as "kind!", variant as "variant!", seed as "seed!",
    out_dataset, state as "state!", epoch as "epoch!", attempts as "attempts!", failures as "failures!",
    infrastructure_failures as "infrastructure_failures!", crashes as "crashes!", worker, reason, started_at, ended_at,
    done, total, images_per_second, bits_per_dim
from (
    -- `offset 0` keeps the order out: following the primary key until the limit is reached would read every sweep's jobs.
    select * from job_overview where sweep_id = $1 and state = any($2::text[]) offset 0
) as job
order by job_id
limit $3
