insert into job (
    sweep_id, experiment_id, depends_on, kind, state, device, priority,
    max_failures, max_infrastructure_failures, max_crashes
)
select $1, experiment_id, train_id, 'inspect', 'blocked', $4, $5, $6, $7, $8
from unnest($2::bigint[], $3::bigint[]) with ordinality as given(train_id, experiment_id, place)
order by place
