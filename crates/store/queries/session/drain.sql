update session
set drain = true
where id = $1 and closed_at is null
