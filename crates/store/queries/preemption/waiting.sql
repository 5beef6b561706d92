-- Ready jobs that have waited for `$1` seconds and are more important, by `$2` at least, than some training that could stop:
-- the oldest `$3` of each sweep and kind, each lane by one walk of the index `job_ready`, and of them the `$4` most important.
-- When nothing runs that could stop, no sweep is looked at.
with lowest as materialized (
    select min(sweep.priority) as priority
    from job
    join sweep on sweep.id = job.sweep_id
    where job.state = 'running' and job.kind = 'train' and sweep.preemptible
),
waiting as materialized (
    select
        job.id, job.epoch, job.ready_at, sweep.id as sweep_id, sweep.name, sweep.priority, sweep.device,
        sweep.memory_bytes, sweep.labels, sweep.max_running
    from lowest
    join sweep on sweep.priority >= lowest.priority + $2::smallint
    -- No training stops for a score job, which takes a second.
    cross join (values ('evaluate'), ('inspect'), ('probe'), ('train')) as lane(kind)
    cross join lateral (
        select job.id, job.epoch, job.ready_at
        from job
        where job.sweep_id = sweep.id
            and job.kind = lane.kind
            and job.state = 'ready'
            and (job.not_before is null or job.not_before <= clock_timestamp())
        order by job.ready_seq
        limit $3
    ) as job
    -- Not inside the lane: a lane of jobs that are all too young would be walked to its end.
    where job.ready_at <= clock_timestamp() - make_interval(secs => $1)
    order by sweep.priority desc, job.ready_at, job.id
    limit $4
)
select
    waiting.id as "job_id!", waiting.epoch as "epoch!", waiting.sweep_id as "sweep_id!", waiting.name as "sweep_name!",
    waiting.priority as "priority!", waiting.device as "device!", waiting.memory_bytes as "memory_bytes!",
    waiting.labels as "labels!", waiting.max_running, running.jobs as "running!",
    extract(epoch from clock_timestamp() - greatest(waiting.ready_at, told.latest))::double precision as "waited_secs!",
    coalesce(told.awaited, false) as "awaited!"
from waiting
cross join lateral (
    select count(*) as jobs
    from job
    where job.sweep_id = waiting.sweep_id and job.state = 'running'
) as running
cross join lateral (
    select
        max(preemption.told_at) as latest,
        bool_or(victim.state = 'running' and victim.epoch = preemption.epoch) as awaited
    from preemption
    join job as victim on victim.id = preemption.job_id
    where preemption.for_job_id = waiting.id and preemption.for_epoch = waiting.epoch
) as told
