-- The count beside the id: an event whose transaction commits after a later one's changes the count alone.
select coalesce(max(id), 0) as "last!", count(*) as "count!"
from event
where sweep_id = $1
