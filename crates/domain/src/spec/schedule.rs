//! How the learning rate changes over a run: a pure function of the document and the step.

use serde::{Deserialize, Serialize};

use super::{Violations, defaults};

/// The factor of the optimiser's learning rate at each step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleSpec {
    /// The same learning rate throughout.
    #[default]
    Constant,
    /// The reference's `--lr_anneal`: whole for the first 0.8 of the run, half until 0.9, then a quarter.
    FlowsOodAnneal(FlowsOodAnnealSpec),
    /// Linear warm-up, then half a cosine (Loshchilov and Hutter 2017, equation 5, without restarts).
    WarmUpCosine(WarmUpCosineSpec),
}

/// The reference's anneal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowsOodAnnealSpec {
    /// Steps of an epoch. With it the position is the reference's, `epoch / last epoch`, with epochs counted from 0, so
    /// that the rate changes between epochs only. Without it the position is `step / steps`, with steps counted from 0:
    /// the changes come up to an epoch later or earlier than the reference's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_per_epoch: Option<u32>,
}

/// A linear warm-up and half a cosine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmUpCosineSpec {
    /// Steps of the warm-up: step k of them, counted from 1, has the factor k / `warm_up_steps`. 0 for none.
    pub warm_up_steps: u32,
    /// The factor that the cosine falls to at the run's end (default 0).
    #[serde(default = "defaults::final_fraction")]
    pub final_fraction: f64,
}

impl ScheduleSpec {
    /// The factor of the learning rate of a step, counted from 0, in a run of `steps` steps.
    #[must_use]
    pub fn factor(&self, step: u64, steps: u32) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::FlowsOodAnneal(anneal) => anneal.factor(step, u64::from(steps)),
            Self::WarmUpCosine(cosine) => cosine.factor(step, u64::from(steps)),
        }
    }

    pub(super) fn check(&self, at: &str, steps: u32, found: &mut Violations) {
        match self {
            Self::Constant => {}
            Self::FlowsOodAnneal(anneal) => {
                if let Some(of_epoch) = anneal.steps_per_epoch {
                    found.check_range(&format!("{at}.flows-ood-anneal.steps_per_epoch"), of_epoch, 1..=1_000_000_000);
                }
            }
            Self::WarmUpCosine(cosine) => {
                let field = format!("{at}.warm-up-cosine.warm_up_steps");
                if cosine.warm_up_steps >= steps {
                    let warm_up = cosine.warm_up_steps;
                    found.add(field, format!("{warm_up} steps of {steps}: fewer than the run's steps allowed"));
                }
                found.check_range(&format!("{at}.warm-up-cosine.final_fraction"), cosine.final_fraction, 0.0..=1.0);
            }
        }
    }
}

impl FlowsOodAnnealSpec {
    fn factor(&self, step: u64, steps: u64) -> f64 {
        let (position, end) = match self.steps_per_epoch {
            // The reference's last epoch has the number `num_epochs`; a partial epoch at the end is one.
            Some(of_epoch) => {
                let of_epoch = u64::from(of_epoch).max(1);
                (step / of_epoch, steps.div_ceil(of_epoch).saturating_sub(1))
            }
            None => (step, steps),
        };
        // In whole numbers, position / end ≤ 0.8 has no rounding.
        if 10 * position <= 8 * end {
            1.0
        } else if 10 * position <= 9 * end {
            0.5
        } else {
            0.25
        }
    }
}

impl WarmUpCosineSpec {
    fn factor(&self, step: u64, steps: u64) -> f64 {
        let warm_up = u64::from(self.warm_up_steps);
        if step < warm_up {
            return (step + 1) as f64 / warm_up as f64;
        }
        let position = (step - warm_up) as f64 / steps.saturating_sub(warm_up).max(1) as f64;
        let cosine = (std::f64::consts::PI * position.min(1.0)).cos();
        self.final_fraction + (1.0 - self.final_fraction) * 0.5 * (1.0 + cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(schedule: &ScheduleSpec, steps: u32) -> Vec<(u64, f64)> {
        let mut found: Vec<(u64, f64)> = Vec::new();
        for step in 0..u64::from(steps) {
            let factor = schedule.factor(step, steps);
            if found.last().is_none_or(|(_, last)| *last != factor) {
                found.push((step, factor));
            }
        }
        found
    }

    fn anneal(steps_per_epoch: Option<u32>) -> ScheduleSpec {
        ScheduleSpec::FlowsOodAnneal(FlowsOodAnnealSpec { steps_per_epoch })
    }

    #[test]
    fn constant_is_constant() {
        assert_eq!(changes(&ScheduleSpec::Constant, 50), [(0, 1.0)]);
    }

    #[test]
    fn anneal_by_steps_changes_after_its_positions() {
        // 80/100 is still whole, 81/100 is not.
        assert_eq!(changes(&anneal(None), 100), [(0, 1.0), (81, 0.5), (91, 0.25)]);
    }

    #[test]
    fn anneal_by_epochs_is_the_references() {
        // num_epochs = 10, so eleven epochs of 3 steps: t = epoch / 10, in Python's floating point.
        assert_eq!(changes(&anneal(Some(3)), 33), [(0, 1.0), (27, 0.5), (30, 0.25)]);
        for (num_epochs, steps_per_epoch) in [(1, 4), (7, 2), (81, 1), (100, 1), (151, 1)] {
            let steps = (num_epochs + 1) * steps_per_epoch;
            for step in 0..u64::from(steps) {
                let t = (step / u64::from(steps_per_epoch)) as f64 / f64::from(num_epochs);
                let expected = if t <= 0.8 {
                    1.0
                } else if t <= 0.9 {
                    0.5
                } else {
                    0.25
                };
                assert_eq!(anneal(Some(steps_per_epoch)).factor(step, steps), expected, "{num_epochs} at {step}");
            }
        }
    }

    #[test]
    fn anneal_within_one_epoch_keeps_the_rate() {
        assert_eq!(changes(&anneal(Some(50)), 40), [(0, 1.0)]);
    }

    #[test]
    fn cosine_has_its_values_at_the_corners() {
        let cosine = WarmUpCosineSpec { warm_up_steps: 4, final_fraction: 0.1 };
        let schedule = ScheduleSpec::WarmUpCosine(cosine);
        let factor = |step| schedule.factor(step, 12);

        let warm_up: Vec<f64> = (0..4).map(factor).collect();
        assert_eq!(warm_up, [0.25, 0.5, 0.75, 1.0]);
        assert_eq!(factor(4), 1.0);
        assert!((factor(8) - 0.55).abs() < 1e-15);
        let last = 0.1 + 0.45 * (1.0 + (std::f64::consts::PI * 7.0 / 8.0).cos());
        assert!((factor(11) - last).abs() < 1e-15);
        assert!((factor(12) - 0.1).abs() < 1e-15);
    }

    #[test]
    fn cosine_without_warm_up_starts_whole() {
        let schedule = ScheduleSpec::WarmUpCosine(WarmUpCosineSpec { warm_up_steps: 0, final_fraction: 0.0 });

        assert_eq!(schedule.factor(0, 10), 1.0);
        assert!((schedule.factor(5, 10) - 0.5).abs() < 1e-15);
    }
}
