//! The program `spillway-worker`: a supervisor, and the child processes that it starts from itself.

#![allow(clippy::print_stderr, reason = "a program says why it ends")]

use std::process::ExitCode;

use process::{Shutdown, configuration_from, exit, start_log};
use worker::{
    Stop, WorkerError,
    config::{Arguments, Role},
};

fn main() -> ExitCode {
    let mut arguments = match configuration_from::<Arguments>(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(refusal) => return refusal.report(),
    };
    match arguments.role.take() {
        Some(Role::RunChild) => worker::run_child(),
        Some(Role::ProbeDevice { cuda_library }) => match worker::probe(cuda_library.as_deref()) {
            Ok(()) => ExitCode::from(exit::SUCCESS),
            Err(refusal) => fail(&refusal, exit::CONFIGURATION),
        },
        None => match supervise(arguments) {
            Ok(code) => code,
            Err(error) => fail(&*error, exit::FAILURE),
        },
    }
}

fn supervise(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    if let Err(refusal) = start_log(arguments.log_format) {
        return Ok(fail(&refusal, exit::CONFIGURATION));
    }
    let config = match arguments.into_config() {
        Ok(config) => config,
        Err(refusal) => return Ok(fail(&refusal, exit::CONFIGURATION)),
    };
    // One thread: the supervisor waits for pipes and calls, and the cores belong to the child.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let stop = Stop::from(Shutdown::on_signals()?);
        Ok::<_, std::io::Error>(worker::run(&config, &stop).await)
    })?;
    Ok(match ended {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        Err(refusal @ (WorkerError::Cuda(_) | WorkerError::Scratch(_) | WorkerError::Cache(_))) => {
            fail(&refusal, exit::CONFIGURATION)
        }
        Err(error @ (WorkerError::Session(_) | WorkerError::Program(_))) => fail(&error, exit::FAILURE),
    })
}

fn fail(error: &dyn std::error::Error, code: u8) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(code)
}
