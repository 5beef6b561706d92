//! `logs`: what the attempts at a job wrote, also while they write.

use std::io::{Write, stdout};

use clap::Args;
use proto::v1::{JobLogLine, JobLogRequest, LogPosition};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::{Instant, sleep};
use tonic::Status;

use super::watch::{Patience, may_pass};
use crate::{
    client::Client,
    failure::{Failure, cause_of},
};

const EXAMPLES: &str = "\
Examples:
  spillway logs 17                     the newest attempt
  spillway logs 17 --attempt 0         the first one; `spillway why 17` lists them
  spillway logs 17 --follow            until the job has ended, across attempts and coordinators
  spillway logs 17 --tail 20

Kept of each attempt: its first 1,000 lines (128 KiB), and of what follows the last 200 lines (32 KiB), which come at its end.
Lines that begin with `worker:` are the supervisor's; the others are what the job's process wrote.";

/// Which job, and which of its lines.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The job's number
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    job: i64,
    /// The attempt, by its number from 0; the newest one when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    attempt: Option<i32>,
    /// Go on until the job (or the attempt given) has ended
    #[arg(long, short)]
    follow: bool,
    /// Begin with the last N lines
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    tail: Option<u32>,
}

/// Prints the log.
pub async fn run(arguments: &Arguments, client: &Client) -> Result<(), Failure> {
    let mut printed = Printed::default();
    let patience = Patience::default();
    let mut broken: Option<Broken> = None;
    loop {
        let refusal = match read(arguments, client, &mut printed, &mut broken).await? {
            Ok(()) => break,
            Err(refusal) => refusal,
        };
        let failure = || Failure::of_call(&refusal, client.endpoint());
        // Without --follow, and before the first answer, an error is the user's to know.
        if !arguments.follow || !printed.has_begun || !may_pass(&refusal) {
            return Err(failure());
        }
        let outage = broken.get_or_insert_with(|| Broken::new(&patience));
        let delay = outage.next_delay(&patience).ok_or_else(failure)?;
        eprintln!("lost the coordinator ({}): trying again in {:.1} s", cause_of(&refusal), delay.as_secs_f64());
        sleep(delay).await;
    }
    if printed.lines == 0 {
        eprintln!(
            "job {} has written nothing yet: `spillway why {}` says where it stands",
            arguments.job, arguments.job
        );
    }
    Ok(())
}

/// Reads one stream to its end or to its break.
async fn read(
    arguments: &Arguments,
    client: &Client,
    printed: &mut Printed,
    broken: &mut Option<Broken>,
) -> Result<Result<(), Status>, Failure> {
    let request = JobLogRequest {
        job_id: arguments.job,
        epoch: arguments.attempt,
        tail: arguments.tail.unwrap_or_default(),
        follow: arguments.follow,
        after: printed.last,
    };
    let mut stream = match client.results().job_log(request).await {
        Ok(stream) => stream.into_inner(),
        Err(refusal) => return Ok(Err(refusal)),
    };
    printed.has_begun = true;
    if broken.take().is_some() {
        eprintln!("the coordinator is back");
    }
    loop {
        match stream.message().await {
            Ok(Some(message)) => printed.print(&message.lines)?,
            Ok(None) => return Ok(Ok(())),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
}

/// What the user has seen.
#[derive(Debug, Default)]
struct Printed {
    has_begun: bool,
    last: Option<LogPosition>,
    lines: u64,
}

/// A coordinator that went away.
struct Broken {
    since: Instant,
    delays: Box<dyn Iterator<Item = std::time::Duration>>,
}

impl Printed {
    fn print(&mut self, lines: &[JobLogLine]) -> Result<(), Failure> {
        let mut out = stdout().lock();
        for line in lines {
            if self.last.is_some_and(|last| last.epoch != line.epoch) {
                eprintln!("attempt {}", line.epoch);
            }
            writeln!(out, "{}", shown(line))?;
            self.last = Some(LogPosition { epoch: line.epoch, line: line.line });
            self.lines += 1;
        }
        out.flush()?;
        Ok(())
    }
}

impl Broken {
    fn new(patience: &Patience) -> Self {
        Self { since: Instant::now(), delays: Box::new(patience.waits()) }
    }

    fn next_delay(&mut self, patience: &Patience) -> Option<std::time::Duration> {
        self.delays.next().filter(|delay| self.since.elapsed() + *delay <= patience.in_all)
    }
}

/// The line with its time, without control characters: a program's output may hold any.
fn shown(line: &JobLogLine) -> String {
    let seconds = line.at.map(|at| at.seconds).unwrap_or_default();
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&Rfc3339).ok());
    let text: String = line.text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    format!("{} {}", time.unwrap_or_default(), text.trim_end())
}
