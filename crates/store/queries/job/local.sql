-- Ready jobs of one lane whose trained checkpoint is among those given, oldest first. From the checkpoint to the train job by
-- `result_checkpoint`, from there to the jobs that wait for it by `job_depends_on`: as many rows as those trainings have jobs.
select job.id, job.ready_seq
from result
join job on job.depends_on = result.job_id
where result.checkpoint is not null
    and result.checkpoint = any($3::bytea[])
    and job.sweep_id = $1
    and job.kind = $2
    and job.state = 'ready'
    and (job.not_before is null or job.not_before <= clock_timestamp())
order by job.ready_seq
limit $4
