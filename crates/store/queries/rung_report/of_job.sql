select step, value
from rung_report
where job_id = $1 and step <= $2
order by step
