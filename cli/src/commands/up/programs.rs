//! The programs of a cluster: where they lie, and the flags that each is started with.

use std::{
    env,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    thread::available_parallelism,
};

use anyhow::{Context, bail};
use domain::fleet::DeviceKind;

use super::{Arguments, running::Invocation};

const COORDINATOR: &str = "spillway-coordinator";
const WORKER: &str = "spillway-worker";

/// The two programs beside this one.
#[derive(Debug)]
pub struct Programs {
    coordinator: PathBuf,
    worker: PathBuf,
}

/// What they are told.
#[derive(Debug)]
pub struct Plan {
    /// How many workers.
    pub workers: u16,
    threads: u16,
    device: DeviceKind,
    data: PathBuf,
    listen: SocketAddr,
    database_url: String,
    state: PathBuf,
}

impl Programs {
    /// Finds them in the folder of this program.
    pub fn find() -> anyhow::Result<Self> {
        let own = env::current_exe().context("cannot find out where this program lies")?;
        let folder = own.parent().context("this program lies in no folder")?;
        Self::find_in(folder)
    }

    fn find_in(folder: &Path) -> anyhow::Result<Self> {
        let found = Self { coordinator: folder.join(COORDINATOR), worker: folder.join(WORKER) };
        let missing: Vec<_> = [&found.coordinator, &found.worker].into_iter().filter(|path| !path.is_file()).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let names: Vec<_> = missing.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        bail!(
            "{} not found in {}, beside this program: build all three with `cargo build --release --workspace --bins`, or copy them there",
            names.join(" and "),
            folder.display()
        )
    }

    /// How to start the coordinator.
    pub fn coordinator(&self, plan: &Plan) -> Invocation {
        let artifacts = plan.state.join("artifacts");
        Invocation {
            name: "coordinator".to_owned(),
            program: self.coordinator.clone(),
            arguments: vec![
                "--listen".into(),
                plan.listen.to_string().into(),
                "--artifacts".into(),
                artifacts.into_os_string(),
            ],
            // Not a flag: everybody on the machine can read those, and an address may hold a password.
            environment: vec![("SPILLWAY_DATABASE_URL", plan.database_url.clone())],
            log: plan.log("coordinator"),
        }
    }

    /// How to start each worker.
    pub fn workers(&self, plan: &Plan) -> impl Iterator<Item = Invocation> {
        (1..=plan.workers).map(move |number| {
            let name = format!("worker-{number}");
            Invocation {
                program: self.worker.clone(),
                arguments: vec![
                    "--coordinator".into(),
                    plan.endpoint().into(),
                    "--name".into(),
                    name.clone().into(),
                    "--threads".into(),
                    plan.threads.to_string().into(),
                    "--device".into(),
                    plan.device.as_str().into(),
                    "--data-dir".into(),
                    plan.data.clone().into_os_string(),
                ],
                environment: Vec::new(),
                log: plan.log(&name),
                name,
            }
        })
    }
}

impl Plan {
    /// Settles what the user left open: the port and the threads.
    pub fn new(arguments: &Arguments, database_url: String, state_dir: &Path) -> anyhow::Result<Self> {
        let Arguments { workers, threads, device, data_dir, listen, .. } = arguments;
        let cores = available_parallelism().map_or(1, |cores| u16::try_from(cores.get()).unwrap_or(u16::MAX));
        Ok(Self {
            workers: *workers,
            threads: threads.unwrap_or_else(|| (cores / (*workers).max(1)).max(1)),
            device: *device,
            data: data_dir.clone(),
            listen: settled(*listen)?,
            database_url,
            state: state_dir.to_owned(),
        })
    }

    /// Where clients and workers on this machine find the coordinator.
    pub fn endpoint(&self) -> String {
        let host = match self.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(host, self.listen.port()))
    }

    fn log(&self, name: &str) -> PathBuf {
        self.state.join("logs").join(format!("{name}.log"))
    }
}

/// Chooses the port now when any will do: a coordinator that is started again must be found where it was.
fn settled(listen: SocketAddr) -> anyhow::Result<SocketAddr> {
    // Bound and let go: who takes the port in between makes the coordinator refuse to start, and its log says so.
    let listener = TcpListener::bind(listen).with_context(|| {
        format!("cannot listen on {listen}: give another address with --listen (port 0 takes a free one)")
    })?;
    Ok(listener.local_addr()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(listen: &str) -> Plan {
        Plan {
            workers: 2,
            threads: 1,
            device: DeviceKind::Cpu,
            data: "data".into(),
            listen: listen.parse().unwrap(),
            database_url: "postgres://me:secret@db/spillway".to_owned(),
            state: ".spillway".into(),
        }
    }

    #[test]
    fn missing_programs_are_named_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(WORKER), "").unwrap();

        let refusal = Programs::find_in(folder.path()).unwrap_err().to_string();

        assert!(refusal.starts_with("spillway-coordinator not found in"), "{refusal}");
        assert!(refusal.contains("cargo build"), "{refusal}");
    }

    #[test]
    fn everybody_on_this_machine_reaches_a_coordinator_that_listens_everywhere() {
        assert_eq!(plan("0.0.0.0:7450").endpoint(), "http://127.0.0.1:7450");
        assert_eq!(plan("[::]:7450").endpoint(), "http://[::1]:7450");
        assert_eq!(plan("10.0.0.1:7450").endpoint(), "http://10.0.0.1:7450");
    }

    #[test]
    fn password_of_the_database_is_in_no_argument() {
        let programs = Programs { coordinator: "c".into(), worker: "w".into() };
        let plan = plan("127.0.0.1:1");

        let mut all = vec![programs.coordinator(&plan)];
        all.extend(programs.workers(&plan));

        assert_eq!(
            all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
            ["coordinator", "worker-1", "worker-2"]
        );
        assert!(
            all.iter().flat_map(|one| &one.arguments).all(|argument| !argument.to_string_lossy().contains("secret"))
        );
    }

    #[test]
    fn taken_port_is_refused_and_port_0_settled() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();

        let refusal = settled(taken.local_addr().unwrap()).unwrap_err().to_string();

        assert!(refusal.contains("--listen"), "{refusal}");
        assert_ne!(settled("127.0.0.1:0".parse().unwrap()).unwrap().port(), 0);
    }
}
