//! A coordinator that can die and come back.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use domain::report::{Attempt, Completion, Progress};
use proto::v1::{artifact_service_server::ArtifactServiceServer, worker_service_server::WorkerServiceServer};
use tokio::{runtime::Runtime, sync::mpsc};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

use super::service::{Call, Script, State};

/// Far longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

pub struct Coordinator {
    address: SocketAddr,
    script: Script,
    calls: mpsc::UnboundedReceiver<Call>,
    seen: Vec<Call>,
    /// Runs the server and its connections; dropped, they are gone as in a crash.
    server: Option<Runtime>,
    waiting: Runtime,
}

impl Coordinator {
    pub fn start() -> Self {
        let (script, calls) = Script::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut coordinator = Self { address, script, calls, seen: Vec::new(), server: None, waiting };
        coordinator.serve(listener);
        coordinator
    }

    fn serve(&mut self, listener: TcpListener) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        listener.set_nonblocking(true).unwrap();
        let script = self.script.clone();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            Server::builder()
                .add_service(WorkerServiceServer::new(script.clone()))
                .add_service(ArtifactServiceServer::new(script))
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .unwrap();
        });
        self.server = Some(runtime);
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.script.state())
    }

    /// Dies, and comes back once a worker has tried to reach it `tries` times.
    pub fn be_away_for(&mut self, tries: usize) {
        self.server.take().expect("it runs").shutdown_timeout(Duration::from_secs(5));
        let listener = TcpListener::bind(self.address).unwrap();
        for _ in 0..tries {
            let _refused = listener.accept().unwrap();
        }
        // What is still queued was said before the outage or to nobody.
        while let Ok(call) = self.calls.try_recv() {
            self.seen.push(call);
        }
        self.serve(listener);
    }

    /// Waits for a call; those before it are kept for [`Coordinator::seen`].
    pub fn wait_for<T>(&mut self, what: &str, mut pick: impl FnMut(&Call) -> Option<T>) -> T {
        let (calls, seen) = (&mut self.calls, &mut self.seen);
        let found = self.waiting.block_on(async {
            let next = async {
                loop {
                    let call = calls.recv().await.expect("the script lives as long as the coordinator");
                    let picked = pick(&call);
                    seen.push(call);
                    if let Some(picked) = picked {
                        return picked;
                    }
                }
            };
            tokio::time::timeout(DEADLINE, next).await
        });
        let latest = &self.seen[self.seen.len().saturating_sub(20)..];
        found.unwrap_or_else(|_| panic!("{what} did not come; the latest calls were {latest:#?}"))
    }

    /// Waits until a heartbeat says that an attempt has done more than `done` steps.
    pub fn wait_for_progress(&mut self, attempt: Attempt, done: u64) -> Progress {
        self.wait_for("progress", |call| match call {
            Call::Heartbeat(_, progress) => {
                progress.iter().find(|progress| progress.attempt == attempt && progress.done > done).copied()
            }
            _ => None,
        })
    }

    pub fn wait_for_completion(&mut self, attempt: Attempt) -> Completion {
        self.wait_for("completion", |call| match call {
            Call::Complete(of, completion) if *of == attempt => Some(completion.clone()),
            Call::Fail(of, failure) if *of == attempt => panic!("it failed: {failure:?}"),
            _ => None,
        })
    }

    /// The lines of an attempt's log so far.
    pub fn log(&self, attempt: Attempt) -> Vec<String> {
        let lines = self.seen.iter().filter_map(|call| match call {
            Call::Log(of, lines) if *of == attempt => Some(lines),
            _ => None,
        });
        lines.flatten().map(|(_, text)| text.clone()).collect()
    }

    /// Every call so far.
    pub fn seen(&self) -> &[Call] {
        &self.seen
    }
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown_background();
        }
    }
}
