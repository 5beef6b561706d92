insert into recorded_statistics (job_id, dataset, split, images, noise_draws, digest)
select job_id, dataset, split, images, noise_draws, digest
from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::integer[], $6::bytea[])
    as given(job_id, dataset, split, images, noise_draws, digest)
