select count(*) as "jobs!"
from job
where sweep_id = $1 and state = 'running'
