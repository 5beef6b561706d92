with given as (
    select train_id, experiment_id, out_dataset, place
    from unnest($2::bigint[], $3::bigint[], $4::text[])
        with ordinality as given(train_id, experiment_id, out_dataset, place)
),
inserted as (
    insert into job (
        sweep_id, experiment_id, depends_on, kind, state, device, priority,
        max_failures, max_infrastructure_failures, max_crashes
    )
    select $1, experiment_id, train_id, 'evaluate', 'blocked', $5, $6, $7, $8, $9
    from given
    order by place
    returning id, depends_on
),
-- Neither the insert's rows nor its order say which dataset a row is for; among the jobs of one train job any order will do.
numbered_jobs as (
    select id, depends_on, row_number() over (partition by depends_on order by id) as turn from inserted
),
numbered_datasets as (
    select train_id, out_dataset, row_number() over (partition by train_id order by place) as turn from given
)
insert into evaluation_target (job_id, out_dataset)
select numbered_jobs.id, numbered_datasets.out_dataset
from numbered_jobs
join numbered_datasets on numbered_datasets.train_id = numbered_jobs.depends_on and numbered_datasets.turn = numbered_jobs.turn
