//! The SQL that gives the same tables, for `psql` and notebooks.

use domain::SweepId;

/// The table over seeds and the bits/dim table, as two statements.
pub fn tables(sweep: &str) -> String {
    let of_sweep = condition(sweep);
    format!(
        "\
select variant, in_dataset, out_dataset, score, mean as auroc, sd, ci_low, ci_high, ci_method, seeds, seeds_planned, partial, seeds_undefined, seeds_stopped, n_in, n_out
from score_table
where {of_sweep} and metric = 'auroc'
order by variant_ordinal, out_dataset, score;

select variant, dataset, in_distribution, seeds, seeds_planned, images, bits_per_dim_mean, bits_per_dim_mean_sd, bits_per_dim_median, bits_per_dim_median_sd, bits_per_dim_trimmed, bits_per_dim_trimmed_sd, outliers, non_finite
from bits_per_dim
where {of_sweep}
order by variant_ordinal, not in_distribution, dataset;"
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
