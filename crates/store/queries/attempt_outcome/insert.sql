insert into attempt_outcome (job_id, epoch, kind, detail, result_digest)
select job_id, epoch, kind, detail, result_digest
from unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::bytea[])
    as ended(job_id, epoch, kind, detail, result_digest)
