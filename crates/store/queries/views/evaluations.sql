select
    sweep as "sweep!", variant as "variant!", seed as "seed!", in_dataset as "in_dataset!",
    out_dataset as "out_dataset!", score as "score!", metric as "metric!", dataset, value, ci_low, ci_high, ci_method,
    n_in as "n_in!", n_out as "n_out!"
from evaluation
where sweep_id = $1
order by variant_ordinal, seed, out_dataset, score, metric, dataset nulls first
limit $2
