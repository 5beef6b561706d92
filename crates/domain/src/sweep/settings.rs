//! Checks of the fields of a sweep outside its base experiment.

use std::collections::HashSet;

use super::{
    ExecutionSpec, Expansion, MAX_AXES, MAX_DESCRIPTION_LEN, MAX_NAME_LEN, Sample, SweepSpec,
    axis::{Points, check_axes},
};
use crate::{fleet::MAX_LABELS, spec::Violations};

pub(super) fn check(sweep: &SweepSpec) -> Violations {
    let mut found = Violations::default();
    check_name(&sweep.name, &mut found);
    if sweep.description.len() > MAX_DESCRIPTION_LEN {
        found.add("description", format!("{} bytes: at most {MAX_DESCRIPTION_LEN} allowed", sweep.description.len()));
    }
    if sweep.description.contains('\0') {
        found.add("description", "holds a NUL byte, which the database cannot store");
    }
    check_seeds(&sweep.seeds, &mut found);
    check_expansion(&sweep.expansion, &mut found);
    check_execution(&sweep.execution, &mut found);
    if let Some(rule) = &sweep.early_stopping {
        rule.check("early_stopping", &mut found);
    }
    if let Some(budget) = &sweep.budget {
        budget.check("budget", &mut found);
    }
    found
}

fn check_name(name: &str, found: &mut Violations) {
    let allowed =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || "-_".contains(character);
    if name.is_empty() || name.len() > MAX_NAME_LEN || !name.chars().all(allowed) {
        found.add(
            "name",
            format!(
                "`{}` is not a name: 1 to {MAX_NAME_LEN} lower-case letters, digits, `-` and `_` allowed",
                name.escape_default()
            ),
        );
    }
}

fn check_seeds(seeds: &[u64], found: &mut Violations) {
    if seeds.is_empty() {
        found.add("seeds", "empty: give at least one seed");
    }
    let mut seen = HashSet::new();
    for (index, &seed) in seeds.iter().enumerate() {
        // Postgres has no unsigned 64-bit integer, and a seed is a column that users query.
        if i64::try_from(seed).is_err() {
            found.add(format!("seeds[{index}]"), format!("{seed} is out of range: 0 to {} allowed", i64::MAX));
        }
        if !seen.insert(seed) {
            found.add(format!("seeds[{index}]"), format!("{seed} stands twice"));
        }
    }
}

fn check_expansion(expansion: &Expansion, found: &mut Violations) {
    match expansion {
        Expansion::Grid(grid) => check_axes(&grid.axes, Points::All, "expansion.grid.axes", found),
        Expansion::List(list) => {
            if list.points.is_empty() {
                found.add("expansion.list.points", "empty: give at least one point, or leave the expansion out");
            }
            for (index, point) in list.points.iter().enumerate() {
                if point.len() > MAX_AXES {
                    let message = format!("{} fields: at most {MAX_AXES} allowed", point.len());
                    found.add(format!("expansion.list.points[{index}]"), message);
                }
            }
        }
        Expansion::Random(sample) => check_sample(sample, "expansion.random", found),
        Expansion::Sobol(sample) => check_sample(sample, "expansion.sobol", found),
    }
}

fn check_sample(sample: &Sample, at: &str, found: &mut Violations) {
    check_axes(&sample.axes, Points::Drawn, &format!("{at}.axes"), found);
    if sample.axes.is_empty() {
        found.add(format!("{at}.axes"), "empty: give at least one axis to draw from");
        return;
    }
    let choices = sample.axes.iter().map(|axis| axis.choices().unwrap_or(u64::MAX));
    let points = choices.fold(1_u64, u64::saturating_mul);
    if points > 0 {
        found.check_range(&format!("{at}.draws"), u64::from(sample.draws), 1..=points);
    }
}

fn check_execution(execution: &ExecutionSpec, found: &mut Violations) {
    found.check_range("execution.priority", execution.priority, ExecutionSpec::PRIORITIES);
    found.check_range("execution.checkpoint_secs", execution.checkpoint_secs, 1..=86_400);
    found.check_range("execution.max_failures", execution.max_failures, ExecutionSpec::FAILURES);
    found.check_range(
        "execution.max_infrastructure_failures",
        execution.max_infrastructure_failures,
        ExecutionSpec::INFRASTRUCTURE_FAILURES,
    );
    found.check_range("execution.max_crashes", execution.max_crashes, ExecutionSpec::CRASHES);
    found.check_range("execution.weight", execution.weight, ExecutionSpec::WEIGHTS);
    if let Some(limit) = execution.max_running {
        found.check_range("execution.max_running", limit, ExecutionSpec::RUNNING);
    }
    found.check_range("execution.memory_mib", execution.memory_mib, ExecutionSpec::MEMORY_MIB);
    if execution.labels.len() > MAX_LABELS {
        found.add("execution.labels", format!("{} labels: at most {MAX_LABELS} allowed", execution.labels.len()));
    }
}
