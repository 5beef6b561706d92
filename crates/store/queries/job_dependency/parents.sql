-- Everything that each of these jobs waits for, and where it stands.
select child.id as "job_id!", parent.id as "parent_id!", parent.state as "parent_state!"
from unnest($1::bigint[]) as child(id)
cross join lateral (
    select job.depends_on as id from job where job.id = child.id and job.depends_on is not null
    union all
    select job_dependency.parent_id from job_dependency where job_dependency.job_id = child.id
) as named
join job as parent on parent.id = named.id
order by child.id, parent.id
