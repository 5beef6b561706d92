-- Sweeps whose trainings have held devices for as long as their budget allows, and that still have trainings to stop.
select sweep.id, sweep.device_hours as "limit!", spent.hours as "spent!"
from sweep
cross join lateral (
    select sum(extract(epoch from coalesce(outcome.ended_at, clock_timestamp()) - attempt.started_at))::double precision / 3600 as hours
    from job
    join attempt on attempt.job_id = job.id
    left join attempt_outcome as outcome on outcome.job_id = attempt.job_id and outcome.epoch = attempt.epoch
    where job.sweep_id = sweep.id and job.kind = 'train'
) as spent
where sweep.device_hours is not null
    and exists (
        select
        from job
        where job.sweep_id = sweep.id and job.state in ('blocked', 'ready', 'running') and job.kind = 'train'
    )
    and spent.hours >= sweep.device_hours
order by sweep.id
limit $1
