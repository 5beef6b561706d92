-- Ids for jobs that are about to be inserted: what belongs to a job is known by it before it is there.
select nextval(pg_get_serial_sequence('job', 'id')) as "id!"
from generate_series(1, $1::integer)
