update session
set closed_at = clock_timestamp(), close_reason = 'closed'
where id = $1 and closed_at is null
