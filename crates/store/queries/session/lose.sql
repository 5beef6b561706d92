-- A beat may have come since the session was found expired: the lease is asked for again under the lock.
update session
set closed_at = clock_timestamp(), close_reason = 'lost'
where id = $1 and closed_at is null and lease_until < clock_timestamp() - make_interval(secs => $2)
