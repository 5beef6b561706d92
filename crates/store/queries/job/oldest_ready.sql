-- The first job of every lane, as `lane/ready.sql` finds them. A job that backs off could not have been claimed before its time.
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
    lane.kind as "kind!",
    extract(epoch from clock_timestamp() - min(first.since))::double precision as "age_secs!"
from lane
cross join lateral (
    select greatest(job.ready_at, job.not_before) as since
    from job
    where job.sweep_id = lane.sweep_id
        and job.kind = lane.kind
        and job.state = 'ready'
        and (job.not_before is null or job.not_before <= clock_timestamp())
    order by job.ready_seq
    limit 1
) as first
group by lane.kind
