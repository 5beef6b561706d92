-- Locked in order, as by the renewals.
with open as materialized (
    select id
    from session
    where id = any($1::uuid[]) and closed_at is null and not drain
    order by id
    for no key update
)
update session
set drain = true
where id = any(array(select id from open))
returning id
