insert into measurement (job_id, score, metric, dataset, value, ci_low, ci_high, ci_method, n_in, n_out)
select $1, score, metric, dataset, value, ci_low, ci_high, ci_method, n_in, n_out
from unnest(
    $2::text[], $3::text[], $4::text[], $5::double precision[],
    $6::double precision[], $7::double precision[], $8::text[], $9::bigint[], $10::bigint[]
) as given(score, metric, dataset, value, ci_low, ci_high, ci_method, n_in, n_out)
