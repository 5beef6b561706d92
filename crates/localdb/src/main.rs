//! `localdb [DIRECTORY]`: runs a private cluster and prints its URL, until its input ends or it is interrupted.
//!
//! Without a directory the cluster is a temporary one, gone with the program: handy for a try in `psql`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a program; its output is its purpose")]

use std::{env, io, path::Path, process::ExitCode};

use localdb::{Error, Options, PrivateCluster};

fn main() -> ExitCode {
    let started = match env::args_os().nth(1) {
        Some(directory) => start_in(Path::new(&directory)),
        None => PrivateCluster::temporary(),
    };
    let stopped = started.and_then(|cluster| {
        println!("{}", cluster.url());
        // An error of the terminal is as good a reason to stop as its end.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        cluster.stop()
    });
    match stopped {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("localdb: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start_in(directory: &Path) -> Result<PrivateCluster, Error> {
    PrivateCluster::start(directory, &Options::find()?)
}
