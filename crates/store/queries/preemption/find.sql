select reason
from preemption
where job_id = $1 and epoch = $2
