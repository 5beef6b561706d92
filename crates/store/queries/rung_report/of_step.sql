select value, best, mean
from rung_report
where sweep_id = $1 and step = $2
order by place
