-- As `newest.sql`, with the events above $2 counted: one whose transaction commits after a later one's changes the count
-- alone. No event at or below $2 can appear any more, so that those are not read again.
select
    coalesce(max(id), $2) as "last!",
    count(*) as "above!",
    count(*) filter (where id > $3) as "above_next!",
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint as "oldest!",
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint as "next!"
from event
where sweep_id = $1 and id > $2
