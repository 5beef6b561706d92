-- A name may look like an id; the name wins.
select id
from sweep
where name = $1 or id = $2
order by (name = $1) desc
limit 1
