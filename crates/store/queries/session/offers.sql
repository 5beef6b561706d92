-- What open sessions said when they were opened.
select id, device, memory_bytes, labels
from session
where id = any($1::uuid[]) and closed_at is null
