//! What a run of chaos did and found, for people.

use std::{collections::BTreeMap, fmt};

/// The tally of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The seed.
    pub seed: u64,
    /// Seconds under faults, then seconds until the last job had ended.
    pub seconds: [u64; 2],
    /// Faults that struck somebody, by kind.
    pub faults: BTreeMap<&'static str, u32>,
    /// Rounds submitted.
    pub rounds: u64,
    /// Jobs of all rounds.
    pub jobs: u64,
    /// Attempts by how they ended.
    pub attempts: BTreeMap<String, u64>,
    /// Trainings that went on from a checkpoint of an earlier attempt.
    pub resumed: u64,
    /// Sessions by how they ended; those that did not are `open`.
    pub sessions: BTreeMap<String, u64>,
    /// Reports that workers saw refused as stale.
    pub stale: u64,
    /// Sweeps whose results equal the undisturbed run's, and all sweeps.
    pub equal: [u64; 2],
    /// Numbers and digests that were compared.
    pub compared: u64,
    /// What must not be.
    pub violations: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum: u32 = self.faults.values().sum();
        let [disturbed, finishing] = self.seconds;
        writeln!(formatter, "chaos with seed {}: {disturbed} s of faults, {finishing} s to finish", self.seed)?;
        writeln!(formatter, "  faults           {sum}")?;
        for (kind, count) in &self.faults {
            writeln!(formatter, "    {count:>4} {kind}")?;
        }
        writeln!(formatter, "  jobs             {} in {} rounds", self.jobs, self.rounds)?;
        writeln!(formatter, "  attempts         {}", counts(&self.attempts))?;
        writeln!(formatter, "  resumed          {} attempts from the checkpoint of an earlier one", self.resumed)?;
        writeln!(formatter, "  sessions         {}", counts(&self.sessions))?;
        writeln!(formatter, "  refused as stale {} reports that workers noticed", self.stale)?;
        let [equal, sweeps] = self.equal;
        writeln!(
            formatter,
            "  results          {equal} of {sweeps} sweeps equal the undisturbed run's in every bit ({} numbers and digests)",
            self.compared
        )?;
        match self.violations.len() {
            0 => write!(formatter, "  violations       none"),
            count => {
                write!(formatter, "  VIOLATIONS       {count}")?;
                self.violations.iter().try_for_each(|violation| write!(formatter, "\n    {violation}"))
            }
        }
    }
}

fn counts(by_name: &BTreeMap<String, u64>) -> String {
    let sum: u64 = by_name.values().sum();
    let parts: Vec<String> = by_name.iter().map(|(name, count)| format!("{count} {name}")).collect();
    format!("{sum}: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tally_names_the_seed_and_every_violation() {
        let tally = Tally { seed: 42, violations: vec!["job 7 has two results".to_owned()], ..Tally::default() };

        let text = tally.to_string();

        assert!(text.contains("seed 42") && text.contains("job 7 has two results"), "{text}");
    }
}
