select
    sweep as "sweep!", variant as "variant!", in_dataset as "in_dataset!", out_dataset as "out_dataset!",
    score as "score!", metric as "metric!", null::text as dataset, null::bigint as seed, null::bigint as experiment_id,
    seeds as "seeds!", seeds_planned as "seeds_planned!", seeds_undefined as "seeds_undefined!",
    seeds_stopped as "seeds_stopped!", partial as "partial!", mean, sd, ci_low, ci_high, ci_method,
    n_in as "n_in!", n_out as "n_out!", device, precision, noise_draws, worker_version
from score_table
where sweep_id = $1
    and variant_ordinal = any($2::integer[])
    and (cardinality($3::text[]) = 0 or in_dataset = any($3))
    and (cardinality($4::text[]) = 0 or out_dataset = any($4))
    and (cardinality($5::text[]) = 0 or score = any($5))
    and (cardinality($6::text[]) = 0 or metric = any($6))
order by variant_ordinal, out_dataset, score, metric
