select
    attempt.epoch as "epoch!", session.worker_name as "worker!", attempt.session_id as "session_id!",
    attempt.started_at as "started_at!", attempt_outcome.ended_at as "ended_at?", attempt_outcome.kind as "outcome?",
    attempt_outcome.detail as "detail?"
from attempt
join session on session.id = attempt.session_id
left join attempt_outcome on attempt_outcome.job_id = attempt.job_id and attempt_outcome.epoch = attempt.epoch
where attempt.job_id = $1
order by attempt.epoch desc
limit $2
