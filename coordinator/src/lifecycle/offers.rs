//! What sessions are: their rows say it since they were opened, and it never changes. Whoever says something else later is refused.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{
    SessionId,
    fleet::{DeviceKind, Offer},
    job::State,
    report::{Attempt, Completion, Provenance},
    spec::Violations,
};
use store::{LockedJob, StoreError, Transaction};

use super::{Lifecycle, LifecycleError};

/// Sessions that are remembered; beyond them the memory begins anew, at the cost of one query for each session.
const MAX_KNOWN: usize = 10_000;

/// The offers of sessions that this coordinator has heard of: rows that never change are read once.
#[derive(Debug, Default)]
pub(super) struct Offers {
    known: Mutex<HashMap<SessionId, Offer>>,
}

impl Offers {
    fn known(&self) -> MutexGuard<'_, HashMap<SessionId, Offer>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, offers: Vec<(SessionId, Offer)>) {
        let mut known = self.known();
        if known.len() + offers.len() > MAX_KNOWN {
            known.clear();
        }
        known.extend(offers);
    }

    fn device_of(&self, session: SessionId) -> Option<DeviceKind> {
        self.known().get(&session).map(|offer| offer.device)
    }
}

impl Lifecycle {
    /// Refuses an offer that is not the session's own. Artifacts come and go with every claim, and are as they are told.
    pub(super) async fn check_offer(&self, session: SessionId, offer: &Offer) -> Result<(), LifecycleError> {
        if !self.offers.known().contains_key(&session) {
            let found = self.store.session_offers(&[session]).await?;
            if found.is_empty() {
                return Err(LifecycleError::NoSession(session));
            }
            self.offers.learn(found);
        }
        match self.offers.known().get(&session) {
            Some(opened) => Ok(compare(opened, offer)?),
            // Forgotten since: there are many sessions, and this claim is as good as its next one.
            None => Ok(()),
        }
    }

    /// Makes the devices of the sessions known that run these jobs.
    pub(super) async fn learn_devices(
        &self,
        transaction: &mut Transaction,
        jobs: impl Iterator<Item = &LockedJob>,
    ) -> Result<(), StoreError> {
        let mut missing: Vec<SessionId> =
            jobs.filter_map(holder_of).filter(|session| self.offers.device_of(*session).is_none()).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            self.offers.learn(transaction.session_offers(&missing).await?);
        }
        Ok(())
    }

    /// Refuses a result that was computed on a device which its session does not have.
    pub(super) fn check_device(
        &self,
        job: &LockedJob,
        attempt: Attempt,
        completion: &Completion,
    ) -> Result<(), Violations> {
        let (field, Provenance { device, .. }) = match completion {
            Completion::Train { provenance, .. } => ("train.provenance.device", provenance),
            Completion::Evaluate { provenance, .. } => ("evaluate.provenance.device", provenance),
            Completion::Inspect { provenance, .. } => ("inspect.provenance.device", provenance),
            Completion::Score { provenance, .. } => ("score.provenance.device", provenance),
        };
        // A stale attempt is told so, whatever it says.
        let holder = holder_of(job).filter(|_| job.job.epoch == attempt.epoch);
        match holder.and_then(|session| self.offers.device_of(session)) {
            Some(offered) if offered.as_str() != device => Err(Violations::one(
                field,
                format!("`{}`: the session offers {offered}, and nothing else runs there", device.escape_default()),
            )),
            Some(_) | None => Ok(()),
        }
    }
}

fn holder_of(job: &LockedJob) -> Option<SessionId> {
    match job.job.state {
        State::Running { session } => Some(session),
        _ => None,
    }
}

fn compare(opened: &Offer, offer: &Offer) -> Result<(), Violations> {
    const REMEDY: &str = "open a new session to offer something else";
    let mut found = Violations::default();
    if opened.device != offer.device {
        found.add("offer.device", format!("{}: the session was opened with {}; {REMEDY}", offer.device, opened.device));
    }
    if opened.memory_bytes != offer.memory_bytes {
        let text =
            format!("{}: the session was opened with {} bytes; {REMEDY}", offer.memory_bytes, opened.memory_bytes);
        found.add("offer.memory_bytes", text);
    }
    if opened.labels != offer.labels {
        let list = |offer: &Offer| offer.labels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let text = format!("[{}]: the session was opened with [{}]; {REMEDY}", list(offer), list(opened));
        found.add("offer.labels", text);
    }
    found.into_result()
}
