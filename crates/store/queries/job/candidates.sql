-- Sweeps and kinds that have a job for this device, each found by one probe of the index `job_ready` from its lower bound on:
-- entries of jobs claimed long ago, which stay in the index while an old snapshot is open, are not walked again.
select sweep.id, sweep.priority, lane.kind as "kind!", oldest.ready_seq as "oldest_ready_seq!", running.jobs as "running!"
from sweep
cross join (values ('evaluate'), ('inspect'), ('train')) as lane(kind)
left join unnest($2::uuid[], $3::text[], $4::bigint[]) as mark(sweep_id, kind, ready_seq)
    on mark.sweep_id = sweep.id and mark.kind = lane.kind
cross join lateral (
    select job.ready_seq
    from job
    where job.sweep_id = sweep.id
        and job.kind = lane.kind
        and job.state = 'ready'
        and job.ready_seq >= coalesce(mark.ready_seq, 0)
        and job.device in ('any', $1)
        and (job.not_before is null or job.not_before <= clock_timestamp())
    order by job.ready_seq
    limit 1
) as oldest
cross join lateral (
    select count(*) as jobs
    from job
    where job.sweep_id = sweep.id and job.state = 'running'
) as running
