select digest, step
from checkpoint
where job_id = $1
order by step desc, epoch desc
limit $2
