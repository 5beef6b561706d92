select
    sweep as "sweep!", variant as "variant!", in_dataset as "in_dataset!", out_dataset as "out_dataset!",
    score as "score!", metric as "metric!", dataset, seed, experiment_id,
    (value is not null)::integer::bigint as "seeds!", 1 as "seeds_planned!",
    (value is null)::integer::bigint as "seeds_undefined!", 0::bigint as "seeds_stopped!", value is null as "partial!",
    value as mean, null::double precision as sd, ci_low, ci_high, ci_method,
    n_in as "n_in!", n_out as "n_out!", device, precision, noise_draws, worker_version
from evaluation
where sweep_id = $1
    and variant_ordinal = any($2::integer[])
    and (cardinality($3::text[]) = 0 or in_dataset = any($3))
    and (cardinality($4::text[]) = 0 or out_dataset = any($4))
    and (cardinality($5::text[]) = 0 or score = any($5))
    and (cardinality($6::text[]) = 0 or metric = any($6))
    and (cardinality($7::bigint[]) = 0 or seed = any($7))
order by variant_ordinal, seed, out_dataset, score, metric, dataset nulls first
