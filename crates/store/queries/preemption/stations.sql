-- Sessions that may claim, with a row for each attempt that one runs and a single row for an idle one.
select
    session.id, session.device, session.memory_bytes, session.labels,
    job.id as "job_id?", job.epoch as "epoch?", job.sweep_id as "sweep_id?", job.kind as "kind?",
    sweep.priority as "priority?", sweep.preemptible as "preemptible?",
    extract(epoch from clock_timestamp() - attempt.started_at)::double precision as "ran_secs?",
    exists (
        select from preemption where preemption.job_id = job.id and preemption.epoch = job.epoch
    ) as "told!",
    exists (
        select from preemption where preemption.job_id = job.id and preemption.epoch < job.epoch
    ) as "preempted_before!"
from session
left join job on job.session_id = session.id and job.state = 'running'
left join sweep on sweep.id = job.sweep_id
left join attempt on attempt.job_id = job.id and attempt.epoch = job.epoch
where session.closed_at is null and not session.drain and session.lease_until > clock_timestamp()
order by session.id
