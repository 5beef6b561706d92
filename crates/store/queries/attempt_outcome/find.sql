select kind, detail, result_digest
from attempt_outcome
where job_id = $1 and epoch = $2
