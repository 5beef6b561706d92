-- The line before the last $4 ones.
select epoch as "epoch!", line as "line!"
from job_log
where job_id = $1 and epoch >= $2 and epoch <= $3
order by epoch desc, line desc
offset $4
limit 1
