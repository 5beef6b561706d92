select id, (closed_at is null) as "open!", drain, (lease_until > clock_timestamp()) as "leased!"
from session
where id = any($1::uuid[])
