select job.state, job.epoch, (select max(attempt.epoch) from attempt where attempt.job_id = job.id) as newest
from job
where job.id = $1
