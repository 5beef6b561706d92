-- Each state by its own partial index: jobs that have ended are never read, and of the others only what the index holds.
select kind as "kind!", 'blocked' as "state!", count(*) as "jobs!"
from job
where state = 'blocked'
group by kind
union all
select kind, 'ready', count(*)
from job
where state = 'ready'
group by kind
union all
select kind, 'running', count(*)
from job
where state = 'running'
group by kind
