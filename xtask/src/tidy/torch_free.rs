//! Coordinator and command line build without libtorch: nothing that they need, however far down, may bind to it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata};

use super::Violation;

/// The programs that must start on a machine without libtorch.
const TORCH_FREE: [&str; 2] = ["cli", "coordinator"];

/// The bindings.
const TORCH: [&str; 2] = ["tch", "torch-sys"];

/// The resolved packages by name and what each needs to be built, tests aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    needs: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// Reads the resolution that `Cargo.lock` records.
    pub fn of(metadata: &Metadata) -> Result<Self> {
        let resolve = metadata.resolve.as_ref().context("cargo metadata resolved nothing")?;
        let mut graph = Self::default();
        for node in &resolve.nodes {
            let needed = node
                .deps
                .iter()
                .filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development));
            let names = needed.map(|dependency| metadata[&dependency.pkg].name.to_string());
            graph.needs.entry(metadata[&node.id].name.to_string()).or_default().extend(names);
        }
        Ok(graph)
    }

    /// The shortest chain from `start` to one of `targets`.
    fn chain(&self, start: &str, targets: &[&str]) -> Option<Vec<String>> {
        let mut seen = BTreeSet::from([start.to_owned()]);
        let mut chains = std::collections::VecDeque::from([vec![start.to_owned()]]);
        while let Some(chain) = chains.pop_front() {
            let last = chain.last()?;
            if targets.contains(&last.as_str()) {
                return Some(chain);
            }
            for next in self.needs.get(last).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    chains.push_back(chain.iter().chain([next]).cloned().collect());
                }
            }
        }
        None
    }
}

/// Finds the way by which libtorch came into a program that must do without.
pub fn check(graph: &Graph) -> Vec<Violation> {
    let chains = TORCH_FREE.iter().filter_map(|program| Some((program, graph.chain(program, &TORCH)?)));
    chains
        .map(|(program, chain)| Violation::new(*program, format!("needs libtorch through {}", chain.join(" → "))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to) in edges {
            graph.needs.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph
    }

    #[test]
    fn libtorch_deep_below_a_program_is_found_with_the_way_there() {
        let graph = graph(&[("cli", "proto"), ("cli", "datasets"), ("datasets", "tch"), ("proto", "domain")]);

        assert_eq!(check(&graph), [Violation::new("cli", "needs libtorch through cli → datasets → tch")]);
    }

    #[test]
    fn libtorch_in_the_worker_is_nobodys_concern() {
        let graph = graph(&[("worker", "training"), ("training", "tch"), ("cli", "proto"), ("coordinator", "proto")]);

        assert_eq!(check(&graph), []);
    }
}
