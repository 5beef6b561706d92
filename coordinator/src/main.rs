//! The program `spillway-coordinator`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program says where it listens and why it ends")]

use std::process::ExitCode;

use coordinator::{App, Config, StartError};
use process::{Shutdown, configuration_from, exit, start_log};
use tokio::net::TcpListener;

fn main() -> ExitCode {
    let config = match configuration_from::<Config>(std::env::args_os()) {
        Ok(config) => config,
        Err(refusal) => return refusal.report(),
    };
    if let Err(refusal) = start_log(config.log_format) {
        return fail(&refusal, exit::CONFIGURATION);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(refusal) => return fail(&refusal, exit::FAILURE),
    };
    runtime.block_on(serve(&config))
}

async fn serve(config: &Config) -> ExitCode {
    let shutdown = match Shutdown::on_signals() {
        Ok(shutdown) => shutdown,
        Err(refusal) => return fail(&refusal, exit::FAILURE),
    };
    let built = tokio::select! {
        built = App::build(config) => built,
        () = shutdown.requested.cancelled() => return ExitCode::from(exit::SUCCESS),
    };
    let app = match built {
        Ok(app) => app,
        Err(refusal @ StartError::Configuration { .. }) => return fail(&refusal, exit::CONFIGURATION),
        Err(refusal @ StartError::Database { .. }) => return fail(&refusal, exit::FAILURE),
    };
    let listening = TcpListener::bind(config.listen).await.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) = match listening {
        Ok(listening) => listening,
        Err(refusal) => {
            eprintln!("cannot listen on {} ({refusal}): set SPILLWAY_LISTEN to a free address", config.listen);
            return ExitCode::from(exit::CONFIGURATION);
        }
    };
    let app = match config.metrics_listen {
        None => app,
        Some(wanted) => match TcpListener::bind(wanted).await {
            Ok(metrics) => app.with_metrics(metrics),
            Err(refusal) => {
                eprintln!("cannot listen on {wanted} ({refusal}): set SPILLWAY_METRICS_LISTEN to a free address");
                return ExitCode::from(exit::CONFIGURATION);
            }
        },
    };
    // One line for whoever started this program with port 0.
    println!("listening on http://{address}");
    tokio::select! {
        served = app.serve(listener, shutdown.requested) => match served {
            Ok(()) => ExitCode::from(exit::SUCCESS),
            Err(error) => fail(&error, exit::FAILURE),
        },
        () = shutdown.forced.cancelled() => ExitCode::from(exit::FAILURE),
    }
}

fn fail(error: &dyn std::error::Error, code: u8) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(code)
}
