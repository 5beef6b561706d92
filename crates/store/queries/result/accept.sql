-- The results of jobs whose success this transaction has just saved, all in one statement.
with accepted as (
    insert into result (
        job_id, epoch, checkpoint, statistics, figures, worker_version, device, threads, precision, noise_draws
    )
    select job_id, epoch, checkpoint, statistics, figures, worker_version, device, threads, precision, noise_draws
    from unnest(
        $1::bigint[], $2::integer[], $3::bytea[], $4::bytea[], $5::integer[],
        $6::text[], $7::text[], $8::integer[], $9::text[], $10::integer[]
    ) as given(job_id, epoch, checkpoint, statistics, figures, worker_version, device, threads, precision, noise_draws)
),
-- The final checkpoint may have been reported before.
final as (
    insert into checkpoint (job_id, epoch, step, digest)
    select job_id, epoch, step, checkpoint
    from unnest($1::bigint[], $2::integer[], $11::bigint[], $3::bytea[]) as given(job_id, epoch, step, checkpoint)
    where step is not null
    on conflict (job_id, epoch, step) do update set digest = excluded.digest
)
insert into measurement (job_id, score, metric, dataset, value, ci_low, ci_high, ci_method, n_in, n_out)
select job_id, score, metric, dataset, value, ci_low, ci_high, ci_method, n_in, n_out
from unnest(
    $12::bigint[], $13::text[], $14::text[], $15::text[], $16::double precision[],
    $17::double precision[], $18::double precision[], $19::text[], $20::bigint[], $21::bigint[]
) as given(job_id, score, metric, dataset, value, ci_low, ci_high, ci_method, n_in, n_out)
