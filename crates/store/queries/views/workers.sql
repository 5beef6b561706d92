-- One row for each job that a session runs, and one for a session that runs none. When a session was last busy is read from all
-- attempts in one pass: an index for it would be paid by every claim.
with shown as materialized (
    select *
    from session
    where closed_at is null or $1
    order by closed_at is not null, opened_at desc, id
    limit $2
),
held as materialized (
    select job.session_id, job.id, job.epoch, job.kind, job.sweep_id, job.experiment_id
    from job
    where job.state = 'running' and job.session_id = any(array(select id from shown))
),
last_busy as materialized (
    select attempt.session_id, max(coalesce(attempt_outcome.ended_at, attempt.started_at)) as at
    from attempt
    left join attempt_outcome on attempt_outcome.job_id = attempt.job_id and attempt_outcome.epoch = attempt.epoch
    where attempt.session_id = any(array(
        select id from shown where closed_at is null and id not in (select session_id from held)
    ))
    group by attempt.session_id
)
select
    clock_timestamp() as "now!",
    shown.id as "id!",
    shown.worker_name as "name!",
    shown.worker_version as "version!",
    shown.device as "device!",
    shown.memory_bytes as "memory_bytes!",
    shown.labels as "labels!",
    shown.opened_at as "opened_at!",
    shown.lease_until as "lease_until!",
    shown.drain as "drain!",
    shown.closed_at as "closed_at?",
    shown.close_reason as "close_reason?",
    case when shown.closed_at is null and held.id is null then coalesce(last_busy.at, shown.opened_at) end as "idle_since?",
    held.id as "job_id?",
    held.kind as "kind?",
    sweep.name as "sweep?",
    variant.label as "variant?",
    experiment.seed as "seed?",
    evaluation_target.out_dataset as "out_dataset?",
    attempt.started_at as "started_at?",
    progress.done as "done?",
    progress.total as "total?"
from shown
left join held on held.session_id = shown.id
left join last_busy on last_busy.session_id = shown.id
left join sweep on sweep.id = held.sweep_id
left join experiment on experiment.id = held.experiment_id
left join variant on variant.id = experiment.variant_id
left join evaluation_target on evaluation_target.job_id = held.id
left join attempt on attempt.job_id = held.id and attempt.epoch = held.epoch
left join progress on progress.job_id = held.id and progress.epoch = held.epoch
order by shown.closed_at is not null, shown.opened_at desc, shown.id, held.id
