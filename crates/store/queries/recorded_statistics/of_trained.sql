-- What the train jobs recorded that these jobs waited for.
select
    job.id as "job_id!",
    recorded_statistics.dataset as "dataset!",
    recorded_statistics.split as "split!",
    recorded_statistics.images as "images!",
    recorded_statistics.noise_draws as "noise_draws!",
    recorded_statistics.digest as "digest!: Vec<u8>"
from job
join recorded_statistics on recorded_statistics.job_id = job.depends_on
where job.id = any($1::bigint[])
order by job.id, recorded_statistics.split
