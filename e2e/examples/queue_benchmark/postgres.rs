//! The server that everything is measured on: private, durable, the same settings for every system.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context;
use localdb::{Options, PrivateCluster};

use crate::cpu;

/// Room for every system's pools at their largest.
const MAX_CONNECTIONS: u16 = 400;
/// Counts statements. Loaded always, so that no system runs on another server than the rest; counting is switched on for
/// single databases.
const COUNTING: [&str; 3] = [
    "shared_preload_libraries=pg_stat_statements",
    "pg_stat_statements.track=none",
    "pg_stat_statements.track_utility=on",
];

/// The server.
pub struct Server {
    cluster: PrivateCluster,
    options: Options,
    databases: u32,
}

/// One database, fresh for each measurement.
#[derive(Debug, Clone)]
pub struct Database {
    pub name: String,
    pub url: String,
}

/// A transaction that holds a snapshot until it is dropped.
pub struct Pinned {
    reader: Child,
}

/// A statement's share of a measurement.
#[derive(Debug, Clone)]
pub struct Statement {
    pub text: String,
    pub calls: u64,
    pub total: Duration,
    pub rows: u64,
    pub wal_bytes: u64,
}

impl Server {
    /// Starts it.
    pub fn start() -> anyhow::Result<Self> {
        let settings = COUNTING.map(str::to_owned).to_vec();
        let options = Options { max_connections: MAX_CONNECTIONS, settings, ..Options::find()? };
        let cluster = PrivateCluster::temporary_with(&options).context(
            "the measurement needs PostgreSQL with its extension pg_stat_statements (package postgresql-contrib)",
        )?;
        cluster.query("spillway", "create extension pg_stat_statements")?;
        Ok(Self { cluster, options, databases: 0 })
    }

    /// A fresh database, on a server that has nothing left to write.
    pub fn database(&mut self) -> anyhow::Result<Database> {
        self.databases += 1;
        let name = format!("bench_{}", self.databases);
        let url = self.cluster.create_database(&name)?;
        self.checkpoint()?;
        Ok(Database { name, url })
    }

    /// Counts the statements of connections that are made to the database from now on.
    pub fn count_statements(&self, database: &Database) -> anyhow::Result<()> {
        self.admin(&format!("alter database {} set pg_stat_statements.track = 'top'", database.name)).map(drop)
    }

    /// Removes a database; what is still connected is cut off.
    pub fn remove(&self, database: &Database) -> anyhow::Result<()> {
        self.admin(&format!("drop database {} with (force)", database.name)).map(drop)
    }

    /// Writes everything out, so that no measurement pays for the one before.
    pub fn checkpoint(&self) -> anyhow::Result<()> {
        self.admin("checkpoint").map(drop)
    }

    /// Runs a statement outside of every measured database.
    pub fn admin(&self, statement: &str) -> anyhow::Result<String> {
        Ok(self.cluster.query("spillway", statement)?)
    }

    /// Forgets what was counted.
    pub fn forget_statements(&self) -> anyhow::Result<()> {
        self.admin("select pg_stat_statements_reset()").map(drop)
    }

    /// What was counted in a database, most time first.
    pub fn statements(&self, database: &Database) -> anyhow::Result<Vec<Statement>> {
        let rows = self.admin(&format!(
            "select calls, total_exec_time, rows, wal_bytes, \
                 regexp_replace(regexp_replace(query, '--[^\n]*', '', 'g'), '\\s+', ' ', 'g') \
             from pg_stat_statements join pg_database on pg_database.oid = dbid \
             where datname = '{}' order by total_exec_time desc",
            database.name
        ))?;
        rows.lines().map(statement).collect()
    }

    /// CPU time of all the server's processes so far.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        cpu::of_family(self.cluster.server_pid().context("the database server is gone")?)
    }

    /// Opens a transaction in the database that holds a snapshot, and leaves it idle.
    pub fn pin(&self, database: &Database) -> anyhow::Result<Pinned> {
        let mut reader = Command::new(self.options.binaries.directory().join("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", &database.url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start psql")?;
        let input = reader.stdin.as_mut().context("psql has no input")?;
        input.write_all(b"begin isolation level repeatable read;\nselect 'pinned' from pg_class limit 1;\n")?;
        let mut answer = String::new();
        BufReader::new(reader.stdout.as_mut().context("psql has no output")?).read_line(&mut answer)?;
        let pinned = Pinned { reader };
        anyhow::ensure!(answer.trim() == "pinned", "no snapshot was taken: {answer}");
        Ok(pinned)
    }

    /// What the whole server did, for a profile.
    pub fn activity(&self) -> anyhow::Result<String> {
        self.admin(
            "select 'checkpoints ' || checkpoints_timed + checkpoints_req || ', backend writes ' || buffers_backend from pg_stat_bgwriter",
        )
    }

    /// The settings that matter, for the report.
    pub fn description(&self) -> anyhow::Result<String> {
        let names =
            "'server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size'";
        let settings = self.admin(&format!(
            "select string_agg(name || ' = ' || current_setting(name), ', ' order by name) from pg_settings where name in ({names})"
        ))?;
        Ok(settings.trim().to_owned())
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // The end of its input ends psql and with it the transaction; killed, it is as good.
        let _ = self.reader.kill();
        let _ = self.reader.wait();
    }
}

fn statement(row: &str) -> anyhow::Result<Statement> {
    let mut fields = row.splitn(5, '|');
    let mut next = || fields.next().context("pg_stat_statements answered with too few columns");
    Ok(Statement {
        calls: next()?.parse()?,
        total: Duration::from_secs_f64(next()?.parse::<f64>()? / 1e3),
        rows: next()?.parse()?,
        wal_bytes: next()?.parse()?,
        text: next()?.to_owned(),
    })
}
