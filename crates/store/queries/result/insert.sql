insert into result (
    job_id, epoch, checkpoint, statistics, figures, worker_version, device, threads, precision, noise_draws
)
values ($1, $2, $3::bytea, $4::bytea, $5, $6, $7, $8, $9, $10)
