-- What every job of a sweep takes from its document, and whose it is.
select submitted_by as "submitted_by!", device as "device!", priority as "priority!", document as "document!",
    (select count(*) from job where job.sweep_id = sweep.id) as "jobs!"
from sweep
where id = $1
