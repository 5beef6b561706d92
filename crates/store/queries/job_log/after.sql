select epoch as "epoch!", line as "line!", at as "at!", text as "text!"
from job_log
where job_id = $1 and epoch >= $2 and epoch <= $3 and (epoch, line) > ($4, $5)
order by epoch, line
limit $6
