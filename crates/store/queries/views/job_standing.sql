select
    clock_timestamp() as "now!",
    job.id, job.kind, job.state, job.epoch, job.device, job.not_before, job.session_id, job.reason,
    sweep.id as sweep_id, sweep.name as sweep, sweep.max_running, sweep.memory_bytes, sweep.labels,
    variant.label as variant, experiment.seed, evaluation_target.out_dataset as "out_dataset?",
    (select count(*) from job as other where other.sweep_id = job.sweep_id and other.state = 'running')
        as "running_of_sweep!",
    -- Counted up to a limit: who is a thousandth in line need not know more.
    (
        select count(*)
        from (
            select
            from job as other
            where other.sweep_id = job.sweep_id and other.kind = job.kind and other.state = 'ready'
                and other.ready_seq < job.ready_seq
            limit 1000
        ) as before
        where job.state = 'ready'
    ) as "before_in_lane!",
    parent.id as "parent_id?", parent.kind as "parent_kind?", parent.state as "parent_state?",
    parent.reason as "parent_reason?", coalesce(parent.parents_left, 0) as "parents_left!", parent_progress.done as "parent_done?", parent_progress.total as "parent_total?",
    session.worker_name as "worker?", session.lease_until as "lease_until?", attempt.started_at as "started_at?",
    progress.done as "done?", progress.total as "total?",
    (select count(*) from attempt where attempt.job_id = job.id) as "attempts!"
from job
join sweep on sweep.id = job.sweep_id
join experiment on experiment.id = job.experiment_id
join variant on variant.id = experiment.variant_id
left join evaluation_target on evaluation_target.job_id = job.id
-- Of several that it waits for, one that ended without success if there is one, or else the first that has not succeeded.
left join lateral (
    select one.*, count(*) filter (where one.state <> 'succeeded') over () as parents_left
    from job as one
    where one.id = any(array(
        select job.depends_on
        union all
        select parent_id from job_dependency where job_dependency.job_id = job.id
    ))
    order by one.state in ('failed', 'cancelled', 'quarantined', 'stopped') desc, one.state = 'succeeded', one.id
    limit 1
) as parent on true
left join progress as parent_progress
    on parent_progress.job_id = parent.id and parent_progress.epoch = parent.epoch and parent.state = 'running'
left join session on session.id = job.session_id and session.closed_at is null
left join attempt on attempt.job_id = job.id and attempt.epoch = job.epoch and job.state = 'running'
left join progress on progress.job_id = job.id and progress.epoch = job.epoch and job.state = 'running'
where job.id = $1
