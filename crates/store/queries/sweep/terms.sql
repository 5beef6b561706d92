select
    sweep.id as "id!", sweep.priority as "priority!", sweep.weight as "weight!", sweep.max_running as "max_running?",
    sweep.device as "device!", sweep.memory_bytes as "memory_bytes!", sweep.labels as "labels!",
    sweep.submitted_by as "submitted_by!", coalesce(user_share.weight, 1) as "user_weight!"
from sweep
left join user_share on user_share.name = sweep.submitted_by
where sweep.id = any($1::uuid[])
