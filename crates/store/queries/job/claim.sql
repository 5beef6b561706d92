-- The session is share-locked first: whoever closes it waits, and then finds this job among those it must take back.
with holder as materialized (
    select id
    from session
    where id = $1 and closed_at is null and not drain and lease_until > clock_timestamp()
    for share
),
-- Materialised, and joined through an array: as a join, an unknown plan may run the locking subquery once per row.
next as materialized (
    select job.id
    from job
    where job.sweep_id = $2
        and job.kind = $5
        and job.state = 'ready'
        and job.ready_seq >= $3
        and job.device in ('any', $4)
        and (job.not_before is null or job.not_before <= clock_timestamp())
        and exists (select from holder)
    order by job.ready_seq
    limit 1
    for update of job skip locked
),
claimed as (
    update job
    set state = 'running', session_id = $1, not_before = null
    where id = any(array(select id from next))
    returning id, epoch, ready_seq, sweep_id
),
started as (
    insert into attempt (job_id, epoch, session_id)
    select id, epoch, $1 from claimed
),
noted as (
    insert into event (sweep_id, job_id, epoch, kind)
    select sweep_id, id, epoch, 'running' from claimed
)
select id, epoch, ready_seq from claimed
