//! Where the time of a drain goes: statement by statement, and process by process.

use std::time::Duration;

use crate::{
    coordinator::Coordinator,
    fleet::{Fleet, Goal},
    measures::Bench,
};

/// Statements that are shown.
const SHOWN: usize = 30;
/// Characters of a statement that are shown.
const WIDTH: usize = 110;

/// Submits a backlog, drains it and prints.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let jobs = bench.load.backlog;
    let shape = bench.options.shape();
    let database = bench.server.database()?;
    bench.server.count_statements(&database)?;
    let coordinator = Coordinator::start(&database, bench.options.database_connections).await?;
    bench.server.forget_statements()?;
    let (coordinator_cpu, server_cpu) = (coordinator.cpu()?, bench.server.cpu()?);
    let begun = std::time::Instant::now();
    coordinator.submit_jobs("profile", jobs).await?;
    let took = begun.elapsed();
    println!("submit of {jobs} jobs: {:.0} jobs/s", jobs as f64 / took.as_secs_f64());
    let per_job = |cpu: Duration, jobs: u64| cpu.as_secs_f64() * 1e3 / jobs as f64;
    println!(
        "CPU per job: coordinator {:.3} ms, PostgreSQL {:.3} ms",
        per_job(coordinator.cpu()? - coordinator_cpu, jobs),
        per_job(bench.server.cpu()? - server_cpu, jobs)
    );
    print_statements(bench, &database, jobs)?;

    let mut fleet = Fleet::open(&coordinator, shape).await?;
    bench.server.checkpoint()?;
    bench.server.forget_statements()?;
    let (coordinator_cpu, server_cpu) = (coordinator.cpu()?, bench.server.cpu()?);
    let own_cpu = crate::cpu::of_process(std::process::id())?;
    let drained = fleet.drain(Goal::jobs(jobs)).await?;
    let (claim, complete) = fleet.times().means();
    println!("\ndrain of {} jobs by {shape:?}: {:.0} jobs/s", drained.jobs, drained.rate());
    println!(
        "CPU per job: coordinator {:.3} ms, PostgreSQL {:.3} ms, workers {:.3} ms",
        per_job(coordinator.cpu()? - coordinator_cpu, drained.jobs),
        per_job(bench.server.cpu()? - server_cpu, drained.jobs),
        per_job(crate::cpu::of_process(std::process::id())? - own_cpu, drained.jobs)
    );
    println!("a claim took {claim:.2} ms ({} claims), a completion {complete:.2} ms", fleet.times().claims());
    print_statements(bench, &database, drained.jobs)?;
    println!("\n{}", bench.server.activity()?);
    drop((fleet, coordinator));
    bench.server.remove(&database)
}

fn print_statements(bench: &Bench, database: &crate::postgres::Database, jobs: u64) -> anyhow::Result<()> {
    let statements = bench.server.statements(database)?;
    let per_job = |count: u64| count as f64 / jobs as f64;
    let total: Duration = statements.iter().map(|statement| statement.total).sum();
    let calls: u64 = statements.iter().map(|statement| statement.calls).sum();
    let wal: u64 = statements.iter().map(|statement| statement.wal_bytes).sum();
    println!(
        "statements: {:.2} a job, {:.3} ms a job in the server, {:.0} bytes of WAL a job",
        per_job(calls),
        total.as_secs_f64() * 1e3 / jobs as f64,
        per_job(wal)
    );
    println!(
        "| calls | per job | mean ms | total ms | share | rows/call | WAL B/call | statement |\n|---|---|---|---|---|---|---|---|"
    );
    for statement in statements.iter().take(SHOWN) {
        let calls = statement.calls.max(1) as f64;
        let millis = statement.total.as_secs_f64() * 1e3;
        println!(
            "| {} | {:.3} | {:.3} | {millis:.0} | {:.1} % | {:.1} | {:.0} | {} |",
            statement.calls,
            per_job(statement.calls),
            millis / calls,
            100.0 * millis / (total.as_secs_f64() * 1e3).max(f64::MIN_POSITIVE),
            statement.rows as f64 / calls,
            statement.wal_bytes as f64 / calls,
            statement.text.trim().chars().take(WIDTH).collect::<String>(),
        );
    }
    Ok(())
}
