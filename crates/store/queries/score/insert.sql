with given as (
    select id, experiment_id, first_parent, kind, state, device, out_dataset, string_to_array(scores, ',') as scores
    from unnest(
        $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]
    ) as given(id, experiment_id, first_parent, kind, state, device, out_dataset, scores)
),
inserted as (
    insert into job (
        id, sweep_id, experiment_id, depends_on, kind, state, device, priority,
        max_failures, max_infrastructure_failures, max_crashes
    )
    overriding system value
    select given.id, $1, experiment_id, first_parent, kind, state, device, $10, $11, $12, $13
    from given
    order by given.id
    returning id, kind, state, ready_seq, ready_at
),
aimed as (
    insert into evaluation_target (job_id, out_dataset)
    select id, out_dataset from given
),
scored as (
    insert into score_target (job_id, scores)
    select id, scores from given
),
further as (
    insert into job_dependency (job_id, parent_id)
    select job_id, parent_id from unnest($14::bigint[], $15::bigint[]) as further(job_id, parent_id)
)
select $1::uuid as "sweep_id!", kind as "kind!", min(ready_seq) as "oldest!", min(ready_at) as "since!", count(*) as "jobs!"
from inserted
where state = 'ready'
group by kind
