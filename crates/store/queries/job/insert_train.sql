insert into job (
    sweep_id, experiment_id, kind, state, device, priority, max_failures, max_infrastructure_failures, max_crashes
)
select $1, experiment_id, 'train', 'ready', $3, $4, $5, $6, $7
from unnest($2::bigint[]) with ordinality as given(experiment_id, place)
order by place
returning id, experiment_id, ready_seq, ready_at
