select
    sweep.id,
    sweep.name,
    coalesce(sweep.document ->> 'description', '') as "description!",
    sweep.created_at,
    (select count(*) from variant where variant.sweep_id = sweep.id) as "variants!",
    (select count(*) from experiment where experiment.sweep_id = sweep.id) as "experiments!",
    jobs.blocked as "blocked!",
    jobs.ready as "ready!",
    jobs.running as "running!",
    jobs.succeeded as "succeeded!",
    jobs.failed as "failed!",
    jobs.cancelled as "cancelled!",
    jobs.quarantined as "quarantined!",
    jobs.stopped as "stopped!"
-- Limited before counting: the jobs of older sweeps are not read.
from (select * from sweep order by created_at desc, id limit $1) as sweep
cross join lateral (
    select
        count(*) filter (where state = 'blocked') as blocked,
        count(*) filter (where state = 'ready') as ready,
        count(*) filter (where state = 'running') as running,
        count(*) filter (where state = 'succeeded') as succeeded,
        count(*) filter (where state = 'failed') as failed,
        count(*) filter (where state = 'cancelled') as cancelled,
        count(*) filter (where state = 'quarantined') as quarantined,
        count(*) filter (where state = 'stopped') as stopped
    from job
    where job.sweep_id = sweep.id
) as jobs
order by sweep.created_at desc, sweep.id
