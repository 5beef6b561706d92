select id, name
from sweep
where id = any($1::uuid[])
