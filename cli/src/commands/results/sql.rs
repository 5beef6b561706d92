//! The SQL that gives the same tables, for `psql` and notebooks.

use domain::SweepId;

/// The AUROC table and the bits/dim table, as two statements.
pub fn tables(sweep: &str) -> String {
    let of_sweep = condition(sweep);
    format!(
        "\
select variant, in_dataset, out_dataset, score, auroc_mean, auroc_sd, ci_low, ci_high, ci_method, seeds, seeds_planned, seeds_undefined, n_in, n_out, seeds_stopped
from auroc
where {of_sweep}
order by variant_ordinal, out_dataset, score;

with number as (
    -- Every evaluate job measures the in-distribution dataset again, with the same result: one of them counts.
    select distinct on (variant_ordinal, dataset, metric, seed)
        variant, variant_ordinal, dataset, dataset <> in_dataset as is_out, metric, seed, value
    from evaluation
    where {of_sweep} and dataset is not null
    order by variant_ordinal, dataset, metric, seed, out_dataset, score
),
over_seeds as (
    -- No mean where a seed has no value, lest the others speak for it.
    select
        variant, variant_ordinal, dataset, is_out, metric, count(*) as seeds,
        case when count(value) = count(*) then avg(value) end as mean,
        case when count(value) = count(*) then stddev_samp(value) end as sd,
        case when count(value) = count(*) then sum(value) end as total
    from number
    group by variant, variant_ordinal, dataset, is_out, metric
)
select
    variant,
    dataset,
    max(seeds) as seeds,
    max(mean) filter (where metric = 'bits-per-dim-mean') as bits_per_dim_mean,
    max(sd) filter (where metric = 'bits-per-dim-mean') as bits_per_dim_mean_sd,
    max(mean) filter (where metric = 'bits-per-dim-median') as bits_per_dim_median,
    max(sd) filter (where metric = 'bits-per-dim-median') as bits_per_dim_median_sd,
    max(mean) filter (where metric = 'bits-per-dim-trimmed') as bits_per_dim_trimmed,
    max(sd) filter (where metric = 'bits-per-dim-trimmed') as bits_per_dim_trimmed_sd,
    max(total) filter (where metric = 'outliers') as outliers,
    max(total) filter (where metric = 'non-finite') as non_finite
from over_seeds
group by variant, variant_ordinal, dataset, is_out
order by variant_ordinal, is_out, dataset;"
    )
}

/// Every number, a row each.
pub fn evaluations(sweep: &str) -> String {
    format!(
        "\
select sweep, variant, seed, in_dataset, out_dataset, score, metric, dataset, value, ci_low, ci_high, ci_method, n_in, n_out
from evaluation
where {}
order by variant_ordinal, seed, out_dataset, score, metric, dataset;",
        condition(sweep)
    )
}

fn condition(sweep: &str) -> String {
    match sweep.parse::<SweepId>() {
        Ok(id) => format!("sweep_id = '{id}'"),
        Err(_) => format!("sweep = '{}'", sweep.replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_are_named_or_identified() {
        assert_eq!(condition("demo"), "sweep = 'demo'");
        assert_eq!(
            condition("0198c2d4-6a3f-7c11-9b1e-2f4a5b6c7d8e"),
            "sweep_id = '0198c2d4-6a3f-7c11-9b1e-2f4a5b6c7d8e'"
        );
    }

    #[test]
    fn a_quote_ends_no_string() {
        assert_eq!(condition("x' or true --"), "sweep = 'x'' or true --'");
    }
}
