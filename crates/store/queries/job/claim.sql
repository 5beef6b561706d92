-- One row for each slot whose session may claim, with the job it got, if there was one; slots of other sessions yield nothing.
--
-- The sessions are share-locked first: whoever closes one waits, and then finds this job among those it must take back.
with holder as materialized (
    select id
    from session
    where id = any($1::uuid[]) and closed_at is null and not drain and lease_until > clock_timestamp()
    order by id
    for share
),
slot as materialized (
    select
        given.*,
        row_number() over (partition by given.sweep_id, given.kind, given.oldest order by given.place) as turn
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[])
        with ordinality as given(session_id, sweep_id, kind, oldest, place)
    where given.session_id = any(array(select id from holder))
),
wanted as materialized (
    select sweep_id, kind, oldest, count(*) as jobs from slot group by sweep_id, kind, oldest
),
-- Materialised, and joined through arrays: as a join, an unknown plan may run the locking subquery once per row, or read the
-- whole table of jobs.
next as materialized (
    select
        wanted.sweep_id, wanted.kind, wanted.oldest, job.id,
        row_number() over (partition by wanted.sweep_id, wanted.kind, wanted.oldest order by job.ready_seq) as turn
    from wanted
    cross join lateral (
        select job.id, job.ready_seq
        from job
        where job.sweep_id = wanted.sweep_id
            and job.kind = wanted.kind
            and job.state = 'ready'
            and job.ready_seq >= wanted.oldest
            and (job.not_before is null or job.not_before <= clock_timestamp())
        order by job.ready_seq
        limit wanted.jobs
        for update of job skip locked
    ) as job
),
-- Two slots that begin at different places of one lane may meet at one job: the first of them has it.
pick as materialized (
    select distinct on (next.id) next.id, slot.session_id, slot.place
    from next
    join slot using (sweep_id, kind, oldest, turn)
    order by next.id, slot.place
),
claimed as (
    update job
    set
        state = 'running',
        session_id = (array(select session_id from pick order by id))[
            array_position(array(select id from pick order by id), job.id)
        ],
        not_before = null
    where id = any(array(select id from pick))
    returning id, epoch, ready_seq, session_id, experiment_id, depends_on
),
started as (
    insert into attempt (job_id, epoch, session_id)
    select id, epoch, session_id from claimed
),
noted as (
    insert into event (sweep_id, job_id, epoch, kind)
    select slot.sweep_id, claimed.id, claimed.epoch, 'running'
    from claimed
    join pick on pick.id = claimed.id
    join slot on slot.place = pick.place
)
select
    slot.place as "place!",
    slot.session_id as "session_id!",
    claimed.id as "job_id?",
    claimed.epoch as "epoch?",
    claimed.ready_seq as "ready_seq?",
    claimed.experiment_id as "experiment_id?",
    experiment.seed as "seed?",
    variant.fingerprint as "fingerprint?: Vec<u8>",
    sweep.checkpoint_secs as "checkpoint_secs?",
    evaluation_target.out_dataset as "out_dataset?",
    trained.checkpoint as "trained?: Vec<u8>",
    (
        select max(checkpoint.step)
        from checkpoint
        where checkpoint.job_id = claimed.depends_on and checkpoint.digest = trained.checkpoint
    ) as "trained_step?"
from slot
left join pick on pick.place = slot.place
left join claimed on claimed.id = pick.id
left join experiment on experiment.id = claimed.experiment_id
left join variant on variant.id = experiment.variant_id
left join sweep on sweep.id = variant.sweep_id
left join evaluation_target on evaluation_target.job_id = claimed.id
left join result as trained on trained.job_id = claimed.depends_on
