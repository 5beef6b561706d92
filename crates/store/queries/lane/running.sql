-- Counted from the rows that run, which are few: no counter can be wrong.
select sweep_id, count(*) as "jobs!"
from job
where state = 'running'
group by sweep_id
