-- The rows are locked; the epoch expected guards against a caller that locked others. Yields the jobs that are ready now.
with new as (
    select *
    from unnest(
        $1::bigint[], $2::integer[], $3::text[], $4::integer[], $5::timestamptz[], $6::uuid[],
        $7::smallint[], $8::smallint[], $9::smallint[], $10::text[], $11::text[],
        $12::text[], $13::text[], $14::bytea[]
    ) as new(
        id, expected_epoch, state, epoch, not_before, session_id,
        failures, infrastructure_failures, crashes, reason, detail,
        outcome, outcome_detail, result_digest
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
    returning
        job.id, job.sweep_id, job.kind, new.expected_epoch, new.state, new.detail, job.ready_seq, job.ready_at,
        job.not_before, new.outcome, new.outcome_detail, new.result_digest
),
ended as (
    insert into attempt_outcome (job_id, epoch, kind, detail, result_digest)
    select id, expected_epoch, outcome, outcome_detail, result_digest
    from saved
    where outcome is not null
),
noted as (
    insert into event (sweep_id, job_id, epoch, kind, detail)
    select sweep_id, id, expected_epoch, state, detail
    from saved
    order by id
)
select
    sweep_id as "sweep_id!", kind as "kind!", min(ready_seq) as "oldest!", min(ready_at) as "since!",
    count(*) as "jobs!"
from saved
where state = 'ready' and not_before is null
group by sweep_id, kind
