select max(id) as last
from event
where sweep_id = $1
