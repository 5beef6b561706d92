-- As `ready.sql`, for some sweeps.
select
    sweep.id as "sweep_id!", lane.kind as "kind!", ready.oldest as "oldest!",
    ready.since as "since!", ready.jobs as "jobs!"
from unnest($1::uuid[]) as sweep(id)
cross join (values ('evaluate'), ('inspect'), ('probe'), ('score'), ('train')) as lane(kind)
cross join lateral (
    select min(ready_seq) as oldest, min(ready_at) as since, count(*) as jobs
    from (
        select job.ready_seq, job.ready_at
        from job
        where job.sweep_id = sweep.id
            and job.kind = lane.kind
            and job.state = 'ready'
            and (job.not_before is null or job.not_before <= clock_timestamp())
        order by job.ready_seq
        limit $2
    ) as first
) as ready
where ready.jobs > 0
