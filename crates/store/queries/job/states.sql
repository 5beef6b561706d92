select id, state
from job
where id = any($1::bigint[])
