-- What quotas and metrics ask, without a scan of jobs that have ended.

-- A user's sweeps: their open jobs are found from them by the index `job_sweep`.
create index sweep_submitted_by on sweep (submitted_by);
-- How many jobs wait for others. Ready and running jobs have partial indexes of their own.
create index job_blocked on job (kind) where state = 'blocked';
