insert into rung_report (sweep_id, job_id, epoch, step, value, best, mean, stop_reason)
values ($1, $2, $3, $4, $5, $6, $7, $8)
