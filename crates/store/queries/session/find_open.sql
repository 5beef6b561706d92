select
    session.id, session.worker_name, session.drain, session.opened_at,
    array(
        select job.id from job where job.session_id = session.id and job.state = 'running' order by job.id
    ) as "jobs!"
from session
where session.closed_at is null and ($1::text is null or session.worker_name = $1 or session.id = $2)
order by session.worker_name, session.opened_at
limit $3
