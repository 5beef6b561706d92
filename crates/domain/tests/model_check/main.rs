//! Is there any order of events that breaks the rules? Every one, within bounds: a few jobs that wait for each other, a few
//! sessions, and a network that loses, delays and doubles what it carries; each state that can be reached is visited once, and checked.
//!
//! `cargo test --package domain --test model_check -- --nocapture` prints how many there are.

#![allow(clippy::print_stdout, reason = "the counts are what a reader wants to know")]

mod explore;
mod mutants;
mod server;
mod world;

use std::time::Instant;

use domain::job::{Budgets, apply};
use explore::{Explored, explore};
use mutants::{MUTANTS, keeps_epoch_at_release};
use server::{Epochs, Property, Server};
use world::{Bounds, DIAMOND, Graph, PAIR, PARENTS};

/// The whole life of both jobs with two workers: attempts that fail and are tried again, a cancel, a retry.
const LIFE: Bounds = Bounds {
    sessions: 2,
    in_flight: 1,
    cancels: 1,
    retries: 1,
    releases: 0,
    stops: 0,
    limits: Budgets { failures: 2, infrastructure: 1, crashes: 2 },
};
/// The same with jobs given back, and fewer failures.
const RETURNS: Bounds = Bounds { releases: 1, limits: Budgets { failures: 1, ..LIFE.limits }, ..LIFE };
/// The sweep's own rules end jobs; each wrong rule shows itself here.
const STOPS: Bounds = Bounds { stops: 1, ..RETURNS };
/// Two messages on their way at once, which overtake each other.
const OVERTAKING: Bounds =
    Bounds { in_flight: 2, limits: Budgets { failures: 1, infrastructure: 1, crashes: 1 }, ..LIFE };
/// Three sessions, three messages.
const CROWD: Bounds = Bounds { sessions: 3, in_flight: 3, cancels: 0, retries: 0, ..OVERTAKING };
/// Everything at once: minutes.
const WIDE: Bounds = Bounds { releases: 1, limits: Budgets { crashes: 2, ..OVERTAKING.limits }, ..OVERTAKING };

/// Three or four jobs, with few faults: what waits for several is released once, ends with any of them, and opens again with
/// the last one.
const FEW_FAULTS: Bounds = Bounds {
    sessions: 1,
    in_flight: 1,
    cancels: 1,
    retries: 2,
    releases: 0,
    stops: 1,
    limits: Budgets { failures: 1, infrastructure: 1, crashes: 1 },
};

fn explore_rules(name: &str, bounds: Bounds) -> Explored {
    explore_graph(name, PAIR, bounds)
}

fn explore_graph<const JOBS: usize>(name: &str, graph: Graph<JOBS>, bounds: Bounds) -> Explored {
    let began = Instant::now();
    let server = Server { rules: apply, graph, bounds, epochs: Epochs::Compared };
    let explored = explore(&server).unwrap_or_else(|counterexample| panic!("{name}: {counterexample}"));
    let Explored { states, transitions, depth, calmed } = explored;
    println!(
        "{name}: {states} states, {transitions} transitions, {depth} steps deep, {calmed} calm endings, {:.1} s",
        began.elapsed().as_secs_f64()
    );
    // Fewer would mean that the model has lost what it is about.
    assert!(states > 50_000, "{name}: {explored:?}");
    explored
}

#[test]
fn no_order_of_events_in_the_life_of_two_jobs_breaks_a_rule() {
    explore_rules("life", LIFE);
}

#[test]
fn no_order_of_events_with_jobs_given_back_breaks_a_rule() {
    explore_rules("returns", RETURNS);
}

#[test]
fn no_order_of_events_with_jobs_stopped_by_rules_breaks_a_rule() {
    explore_rules("stops", Bounds { releases: 0, ..STOPS });
}

#[test]
fn no_order_of_messages_that_overtake_each_other_breaks_a_rule() {
    explore_rules("overtaking", OVERTAKING);
}

#[test]
fn no_order_of_events_among_three_sessions_breaks_a_rule() {
    explore_rules("crowd", CROWD);
}

#[test]
fn no_order_of_events_around_a_job_that_waits_for_two_breaks_a_rule() {
    explore_graph("parents", PARENTS, Bounds { sessions: 2, retries: 1, ..FEW_FAULTS });
}

#[test]
fn no_order_of_events_along_two_chains_that_meet_breaks_a_rule() {
    explore_graph("diamond", DIAMOND, FEW_FAULTS);
}

#[test]
#[ignore = "takes minutes and gigabytes"]
fn no_order_of_events_in_a_wide_world_breaks_a_rule() {
    explore_rules("wide", WIDE);
}

#[test]
fn every_wrong_rule_is_caught() {
    for mutant in &MUTANTS {
        let server = Server { rules: mutant.rules, graph: PAIR, bounds: STOPS, epochs: Epochs::Compared };

        let counterexample = explore(&server).expect_err(mutant.name);

        println!("{}: {counterexample}\n", mutant.name);
        assert_eq!(counterexample.property, mutant.breaks, "{}: {counterexample}", mutant.name);
    }
}

#[test]
fn an_epoch_that_does_not_grow_shows_itself_in_what_two_workers_do() {
    let server = Server { rules: keeps_epoch_at_release, graph: PAIR, bounds: STOPS, epochs: Epochs::Trusted };

    let counterexample = explore(&server).expect_err("the fence is gone");

    println!("{counterexample}");
    assert_eq!(counterexample.property, Property::OneHolder, "{counterexample}");
}
