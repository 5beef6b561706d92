//! Draining workers.

use domain::{SessionId, spec::Violations};
use store::{OpenSession, WorkersNamed};
use tracing::info;

use super::{Lifecycle, LifecycleError};

/// Most sessions that one call tells.
const MAX_SESSIONS: u32 = 10_000;
/// Names that a refusal lists.
const NAMED: usize = 20;

impl Lifecycle {
    /// Tells open sessions to drain; they hear of it with their next heartbeats. Yields all of them as they stood before.
    ///
    /// # Errors
    /// [`LifecycleError::NoSuchWorker`]; [`LifecycleError::Invalid`] when several workers have the name.
    pub async fn drain(&self, workers: &WorkersNamed) -> Result<Vec<OpenSession>, LifecycleError> {
        let found = self.store.open_sessions(workers, MAX_SESSIONS).await?;
        if let WorkersNamed::By(name) = workers {
            match found.len() {
                0 => return Err(self.no_such_worker(name).await?),
                1 => {}
                _ => return Err(ambiguous(name, &found).into()),
            }
        }
        let sessions: Vec<SessionId> = found.iter().map(|session| session.session).collect();
        for session in self.store.drain_sessions(&sessions).await? {
            info!(session_id = %session, "session was told to drain");
        }
        Ok(found)
    }

    async fn no_such_worker(&self, name: &str) -> Result<LifecycleError, LifecycleError> {
        let open = self.store.open_sessions(&WorkersNamed::All, MAX_SESSIONS).await?;
        let mut names: Vec<String> = open.into_iter().map(|session| session.name).collect();
        names.dedup();
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        Ok(LifecycleError::NoSuchWorker { name: name.escape_default().to_string(), open: names, more })
    }
}

fn ambiguous(name: &str, found: &[OpenSession]) -> Violations {
    let candidates: Vec<String> = found.iter().take(NAMED).map(|session| session.session.to_string()).collect();
    let message = format!(
        "{} open sessions have the name `{name}`: name one by its id, of {}, or all with --all",
        found.len(),
        candidates.join(", ")
    );
    Violations::one("worker", message)
}
