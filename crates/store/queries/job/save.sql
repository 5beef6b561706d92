-- The rows are locked; the epoch expected guards against a caller that locked others.
with new as (
    select *
    from unnest(
        $1::bigint[], $2::integer[], $3::text[], $4::integer[], $5::timestamptz[], $6::uuid[],
        $7::smallint[], $8::smallint[], $9::smallint[], $10::text[], $11::text[]
    ) as new(
        id, expected_epoch, state, epoch, not_before, session_id,
        failures, infrastructure_failures, crashes, reason, detail
    )
),
saved as (
    update job
    set
        state = new.state,
        epoch = new.epoch,
        not_before = new.not_before,
        session_id = new.session_id,
        failures = new.failures,
        infrastructure_failures = new.infrastructure_failures,
        crashes = new.crashes,
        reason = new.reason,
        -- A new place on every way into ready: the lower bound of a claim only moves forward.
        ready_seq = case when new.state = 'ready' then nextval('ready_seq') else job.ready_seq end,
        ready_at = case when new.state = 'ready' then clock_timestamp() else job.ready_at end
    from new
    where job.id = new.id and job.epoch = new.expected_epoch
    returning job.id, job.sweep_id, new.expected_epoch, new.state, new.detail
)
insert into event (sweep_id, job_id, epoch, kind, detail)
select sweep_id, id, expected_epoch, state, detail
from saved
order by id
