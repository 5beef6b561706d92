select id
from session
where closed_at is null and lease_until < clock_timestamp() - make_interval(secs => $1)
order by lease_until
limit $2
