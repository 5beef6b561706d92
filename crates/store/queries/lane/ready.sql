-- Every lane that has a job which may be claimed now. Lanes are found by jumping from one to the next in the index `job_ready`:
-- the cost grows with the lanes that have work, not with jobs or stored sweeps.
with recursive lane as (
    (select sweep_id, kind from job where state = 'ready' order by sweep_id, kind limit 1)
    union all
    select next.sweep_id, next.kind
    from lane
    cross join lateral (
        select job.sweep_id, job.kind
        from job
        where job.state = 'ready' and (job.sweep_id, job.kind) > (lane.sweep_id, lane.kind)
        order by job.sweep_id, job.kind
        limit 1
    ) as next
)
select
    lane.sweep_id as "sweep_id!", lane.kind as "kind!", ready.oldest as "oldest!",
    ready.since as "since!", ready.jobs as "jobs!"
from lane
cross join lateral (
    select min(ready_seq) as oldest, min(ready_at) as since, count(*) as jobs
    from (
        select job.ready_seq, job.ready_at
        from job
        where job.sweep_id = lane.sweep_id
            and job.kind = lane.kind
            and job.state = 'ready'
            and (job.not_before is null or job.not_before <= clock_timestamp())
        order by job.ready_seq
        limit $1
    ) as first
) as ready
where ready.jobs > 0
