select id, name, fingerprint, coalesce(idempotency_key = $2, false) as "same_key!"
from sweep
where name = $1 or idempotency_key = $2
order by 4 desc
limit 1
