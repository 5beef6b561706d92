//! Private clusters with the real server: started, asked, stopped, killed.

use std::{
    error::Error as StdError,
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::{Child, Command, Stdio},
};

use localdb::{Durability, Error, Options, PrivateCluster, ServerBinaries, attach, remove, shared_for_tests};

type TestResult = Result<(), Box<dyn StdError>>;

fn options() -> Result<Options, Error> {
    Ok(Options { durability: Durability::Disposable, ..Options::find()? })
}

/// A folder that every user can enter, as a checkout usually is.
fn open_directory() -> Result<tempfile::TempDir, Box<dyn StdError>> {
    let directory = tempfile::tempdir()?;
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
    Ok(directory)
}

/// What any client sees under a URL, through the `psql` beside the server.
fn psql(url: &str, statement: &str) -> Result<String, Box<dyn StdError>> {
    let program = ServerBinaries::find()?.directory().join("psql");
    let output = Command::new(program).args(["-X", "-A", "-t", "-c", statement, url]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[test]
fn restart_keeps_the_data() -> TestResult {
    let directory = open_directory()?;
    let first = PrivateCluster::start(directory.path(), &options()?)?;
    first.query("spillway", "create table kept as select 42 as answer")?;
    first.stop()?;

    let second = PrivateCluster::start(directory.path(), &options()?)?;

    assert_eq!(psql(&second.url(), "select answer from kept")?, "42");
    assert_eq!(second.query("spillway", "show server_encoding")?, "UTF8");
    Ok(())
}

#[test]
fn no_tcp_port_is_opened_and_only_its_owner_reaches_the_socket() -> TestResult {
    let cluster = PrivateCluster::temporary()?;

    assert_eq!(cluster.query("spillway", "show listen_addresses")?, "");
    assert_eq!(fs::metadata(cluster.address().socket_directory())?.permissions().mode() & 0o777, 0o700);
    Ok(())
}

#[test]
fn durable_cluster_flushes_its_commits() -> TestResult {
    let directory = open_directory()?;
    let cluster = PrivateCluster::start(directory.path(), &Options { max_connections: 33, ..Options::find()? })?;

    assert_eq!(cluster.query("spillway", "show fsync")?, "on");
    assert_eq!(cluster.query("spillway", "show max_connections")?, "33");
    Ok(())
}

#[test]
fn second_start_is_refused_while_the_first_runs_and_can_attach() -> TestResult {
    let directory = open_directory()?;
    let first = PrivateCluster::start(directory.path(), &options()?)?;

    let refusal = PrivateCluster::start(directory.path(), &options()?);
    let attached = attach(directory.path())?;

    assert!(matches!(refusal, Err(Error::AlreadyRunning { .. })), "{refusal:?}");
    assert_eq!(attached, *first.address());
    assert_eq!(psql(&attached.url("spillway"), "select 1")?, "1");
    first.stop()?;
    assert!(matches!(attach(directory.path()), Err(Error::NotRunning { .. })));
    Ok(())
}

#[test]
fn stale_pid_file_of_a_foreign_process_is_passed_over() -> TestResult {
    let directory = open_directory()?;
    PrivateCluster::start(directory.path(), &options()?)?.stop()?;
    let pid_file = directory.path().join("home/data/postmaster.pid");
    fs::write(&pid_file, format!("{}\nx\n0\n5432\n/nowhere\n\n\nready\n", std::process::id()))?;

    let cluster = PrivateCluster::start(directory.path(), &options()?)?;

    assert_eq!(psql(&cluster.url(), "select 1")?, "1");
    Ok(())
}

#[test]
fn long_path_gets_a_short_socket() -> TestResult {
    let directory = open_directory()?;
    let long = directory.path().join("a-rather-long-name-of-a-directory".repeat(4));

    let cluster = PrivateCluster::start(&long, &options()?)?;

    assert!(!cluster.address().socket_directory().starts_with(&long));
    assert_eq!(psql(&cluster.url(), "select 1")?, "1");
    Ok(())
}

#[test]
fn cluster_of_another_version_is_refused() -> TestResult {
    let directory = open_directory()?;
    PrivateCluster::start(directory.path(), &options()?)?.stop()?;
    fs::write(directory.path().join("home/data/PG_VERSION"), "11\n")?;

    let refusal = PrivateCluster::start(directory.path(), &options()?);

    assert!(matches!(refusal, Err(Error::OtherVersion { .. })), "{refusal:?}");
    Ok(())
}

#[test]
fn root_runs_the_server_as_somebody_else_even_where_only_root_can_go() -> TestResult {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root: nothing to prove here");
        return Ok(());
    }
    let closed = tempfile::tempdir()?;
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700))?;

    let cluster = PrivateCluster::start(&closed.path().join("database"), &options()?)?;

    let link = closed.path().join("database/home");
    let home = fs::canonicalize(&link)?;
    let owner = fs::metadata(home.join("data"))?.uid();
    assert_ne!(owner, 0);
    assert!(link.is_symlink());
    assert_eq!(psql(&cluster.url(), "select 1")?, "1");
    cluster.stop()?;
    remove(&closed.path().join("database"))?;
    assert!(!home.exists());
    Ok(())
}

#[test]
fn running_cluster_is_not_removed_and_a_stopped_one_is() -> TestResult {
    let directory = open_directory()?;
    let database = directory.path().join("database");
    let cluster = PrivateCluster::start(&database, &options()?)?;

    let refusal = remove(&database);
    cluster.stop()?;
    remove(&database)?;

    assert!(matches!(refusal, Err(Error::AlreadyRunning { .. })), "{refusal:?}");
    assert!(!database.exists());
    Ok(remove(&database)?)
}

#[test]
fn fresh_databases_are_empty_and_apart() -> TestResult {
    let server = shared_for_tests()?;

    let (one, other) = (server.fresh_database()?, server.fresh_database()?);
    psql(&one, "create table only_here ()")?;

    assert_ne!(one, other);
    assert!(psql(&other, "select * from only_here").is_err());
    Ok(())
}

#[test]
fn database_that_exists_is_not_created_again() -> TestResult {
    let cluster = PrivateCluster::temporary()?;

    let url = cluster.create_database("jobs")?;

    assert_eq!(psql(&url, "select current_database()")?, "jobs");
    assert!(matches!(cluster.create_database("jobs"), Err(Error::Statement { .. })));
    assert!(matches!(cluster.create_database("Jobs; drop"), Err(Error::InvalidName { .. })));
    Ok(())
}

#[test]
fn stopped_temporary_cluster_leaves_nothing() -> TestResult {
    let cluster = PrivateCluster::temporary()?;
    let socket_directory = cluster.address().socket_directory().to_path_buf();

    cluster.stop()?;

    assert!(!socket_directory.exists());
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn killed_owner_takes_the_server_and_its_files_along() -> TestResult {
    let (mut owner, url) = owner_process(None)?;
    let directory = psql(&url, "show data_directory")?;
    let server = first_line(&Path::new(&directory).join("postmaster.pid"))?;
    let parent = parent_of(&server)?;
    let (server, watchdog) = (handle(&server)?, handle(&parent)?);

    owner.kill()?;
    owner.wait()?;

    wait_for_end(&server)?;
    wait_for_end(&watchdog)?;
    assert!(!Path::new(&directory).exists());
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn server_that_lost_owner_and_watchdog_is_replaced_at_the_next_start() -> TestResult {
    let directory = open_directory()?;
    let (mut owner, url) = owner_process(Some(directory.path()))?;
    psql(&url, "create table kept as select 7 as answer")?;
    let server = first_line(&directory.path().join("home/data/postmaster.pid"))?;
    let (server, watchdog) = (server.clone(), parent_of(&server)?);
    // The shell's reader has the same parent as the server; both go, so that nobody is left to stop the server.
    for process in children_of(&watchdog)?.iter().filter(|child| **child != server).chain([&watchdog]) {
        rustix::process::kill_process(pid(process)?, rustix::process::Signal::KILL)?;
    }
    owner.kill()?;
    owner.wait()?;

    let cluster = PrivateCluster::start(directory.path(), &options()?)?;

    assert_ne!(cluster.server_pid().map(|pid| pid.to_string()), Some(server));
    assert_eq!(psql(&cluster.url(), "select answer from kept")?, "7");
    Ok(())
}

/// Starts the program `localdb` and waits for the URL that it prints.
fn owner_process(directory: Option<&Path>) -> Result<(Child, String), Box<dyn StdError>> {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_localdb"))
        .args(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut url = String::new();
    BufReader::new(owner.stdout.take().ok_or("the output was taken")?).read_line(&mut url)?;
    Ok((owner, url.trim().to_owned()))
}

fn first_line(path: &Path) -> Result<String, Box<dyn StdError>> {
    Ok(fs::read_to_string(path)?.lines().next().ok_or("an empty file")?.to_owned())
}

fn pid(text: &str) -> Result<rustix::process::Pid, Box<dyn StdError>> {
    rustix::process::Pid::from_raw(text.parse()?).ok_or_else(|| "process 0".into())
}

#[cfg(target_os = "linux")]
fn parent_of(process: &str) -> Result<String, Box<dyn StdError>> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).ok_or("no parent")?;
    Ok(parent.trim().to_owned())
}

#[cfg(target_os = "linux")]
fn children_of(process: &str) -> Result<Vec<String>, Box<dyn StdError>> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"))?;
    Ok(children.split_whitespace().map(str::to_owned).collect())
}

#[cfg(target_os = "linux")]
fn handle(process: &str) -> Result<rustix::fd::OwnedFd, Box<dyn StdError>> {
    Ok(rustix::process::pidfd_open(pid(process)?, rustix::process::PidfdFlags::empty())?)
}

/// Waits for the kernel's word that a process ended, for a minute at most.
#[cfg(target_os = "linux")]
fn wait_for_end(process: &rustix::fd::OwnedFd) -> TestResult {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let mut fds = [PollFd::new(process, PollFlags::IN)];
    let ended = poll(&mut fds, Some(&Timespec { tv_sec: 60, tv_nsec: 0 }))?;
    if ended == 0 { Err("the process still runs after a minute".into()) } else { Ok(()) }
}
