select
    sweep as "sweep!", variant as "variant!", in_dataset as "in_dataset!", out_dataset as "out_dataset!",
    score as "score!", seeds as "seeds!", seeds_planned as "seeds_planned!", auroc_mean,
    seeds_undefined as "seeds_undefined!",
    auroc_sd, ci_low, ci_high, ci_method, n_in as "n_in!", n_out as "n_out!",
    seeds_stopped as "seeds_stopped!",
    count(*) over () as "rows!"
from auroc
where sweep_id = $1 and (cardinality($2::text[]) = 0 or score = any($2))
order by variant_ordinal, out_dataset, score
limit $3
