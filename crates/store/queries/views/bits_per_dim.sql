select
    sweep as "sweep!", variant as "variant!", dataset as "dataset!", in_distribution as "in_distribution!",
    seeds as "seeds!", seeds_planned as "seeds_planned!", images as "images!",
    bits_per_dim_mean as mean, bits_per_dim_mean_sd as mean_sd,
    bits_per_dim_median as median, bits_per_dim_median_sd as median_sd,
    bits_per_dim_trimmed as trimmed, bits_per_dim_trimmed_sd as trimmed_sd,
    outliers, non_finite
from bits_per_dim
where sweep_id = $1 and variant_ordinal = any($2::integer[])
order by variant_ordinal, not in_distribution, dataset
