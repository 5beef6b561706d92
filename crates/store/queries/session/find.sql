select (closed_at is null) as "open!", drain, (lease_until > clock_timestamp()) as "leased!"
from session
where id = $1
