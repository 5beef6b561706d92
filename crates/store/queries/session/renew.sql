-- Locked in order: coordinators that renew the same sessions wait for each other and never in a circle.
with held as materialized (
    select id
    from session
    where id = any($1::uuid[]) and closed_at is null
    order by id
    for no key update
)
update session
set lease_until = clock_timestamp() + make_interval(secs => $2)
where id = any(array(select id from held))
returning id, drain
