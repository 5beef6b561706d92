-- The newest event, and which transactions this look could not see: those from `oldest` on that had not ended, and all from
-- `next` on.
select
    coalesce(max(id), 0) as "last!",
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint as "oldest!",
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint as "next!"
from event
where sweep_id = $1
