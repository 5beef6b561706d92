select outcome.job_id as "job_id!", outcome.epoch as "epoch!", outcome.kind as "kind!", outcome.detail as "detail!",
    outcome.result_digest
from unnest($1::bigint[], $2::integer[]) as asked(job_id, epoch)
join attempt_outcome as outcome on outcome.job_id = asked.job_id and outcome.epoch = asked.epoch
