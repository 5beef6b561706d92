//! Jobs that wait for several others: released once by the last of them, ended by any of them, opened again with all of them;
//! whatever happens at once.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::collections::HashMap;

use domain::{
    JobId, SessionId, SweepId,
    job::{Event, FailureKind, JobKind, StateName},
    report::Attempt,
    score_jobs::ScoreJob,
    spec::ScoreName,
};
use futures::future::join_all;
use scene::{LONG, Scene, sweep_spec};

/// Pairs of jobs that end at once.
const ROUNDS: usize = 60;

/// Evaluations that run, two by two, with a score job behind each pair.
struct Pairs {
    scene: Scene,
    sweep: SweepId,
    session: SessionId,
    attempts: HashMap<JobId, Attempt>,
    pairs: Vec<[JobId; 2]>,
}

async fn pairs(rounds: usize) -> Pairs {
    let scene = Scene::new().await;
    // Each experiment has two evaluate jobs.
    let seeds: Vec<u64> = (0..rounds as u64).collect();
    let spec = sweep_spec("pairs", &seeds);
    let sweep = scene.submit(&spec).await;
    let session = scene.open_session(LONG).await;
    scene.train_all(session, rounds).await;
    let mut transaction = scene.store.begin().await.unwrap();
    transaction.lock_sweep(sweep).await.unwrap();
    let evaluations = transaction.lock_evaluations(sweep).await.unwrap().evaluations;
    let mut of_experiment: HashMap<i64, Vec<_>> = HashMap::new();
    for one in evaluations {
        of_experiment.entry(one.experiment.0).or_default().push(one);
    }
    let jobs: Vec<ScoreJob> = of_experiment
        .into_values()
        .map(|pair| ScoreJob {
            kind: JobKind::Score,
            experiment: pair[0].experiment,
            out: pair[0].out.clone(),
            scores: vec![ScoreName::LogLikelihood],
            parents: pair.iter().map(|one| (one.job, one.state)).collect(),
        })
        .collect();
    assert!(transaction.add_score_jobs(sweep, &spec, &jobs).await.unwrap().is_empty(), "all wait");
    transaction.commit().await.unwrap();
    let mut attempts = HashMap::new();
    for _ in 0..2 * rounds {
        let attempt = scene.claim(session).await.unwrap();
        attempts.insert(attempt.job, attempt);
    }
    let pairs = jobs.iter().map(|job| [job.parents[0].0, job.parents[1].0]).collect();
    Pairs { scene, sweep, session, attempts, pairs }
}

impl Pairs {
    async fn succeed(&self, job: JobId) {
        let completion = self.scene.evaluated(0.5).await;
        self.scene.complete(self.attempts[&job], &completion).await.unwrap();
    }

    async fn fail(&self, job: JobId) {
        self.scene.fail(self.attempts[&job], FailureKind::Permanent).await.unwrap();
    }

    /// How often each score job went into each state, in the history.
    async fn went(&self, state: &str) -> i64 {
        let from =
            format!("event join job on job.id = event.job_id where job.kind = 'score' and event.kind = '{state}'");
        self.scene.count(&from).await
    }

    async fn are(&self, state: StateName) -> i64 {
        self.scene.count(&format!("job where kind = 'score' and state = '{state}'")).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_parents_that_succeed_at_once_release_a_job_once() {
    let all = pairs(ROUNDS).await;

    for [one, other] in &all.pairs {
        tokio::join!(all.succeed(*one), all.succeed(*other));
    }

    assert_eq!(all.are(StateName::Ready).await, ROUNDS as i64);
    assert_eq!(all.went("ready").await, ROUNDS as i64, "each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_parents_that_succeed_at_once_release_every_job_once() {
    let all = pairs(ROUNDS).await;

    join_all(all.pairs.iter().flatten().map(|job| all.succeed(*job))).await;

    assert_eq!((all.are(StateName::Ready).await, all.went("ready").await), (ROUNDS as i64, ROUNDS as i64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_that_fails_while_the_other_succeeds_ends_a_job_that_was_never_released() {
    let all = pairs(ROUNDS).await;

    for [one, other] in &all.pairs {
        tokio::join!(all.succeed(*one), all.fail(*other));
    }

    assert_eq!((all.are(StateName::Failed).await, all.went("failed").await), (ROUNDS as i64, ROUNDS as i64));
    assert_eq!(all.went("ready").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_while_the_other_parent_ends_leaves_no_job_that_waits_for_ever() {
    let all = pairs(ROUNDS).await;
    let retry = async |job: JobId| {
        let mut transaction = all.scene.store.begin().await.unwrap();
        let locked = transaction.lock_family(job).await.unwrap().unwrap();
        let dependency = domain::job::Dependency::Met;
        transaction.apply(vec![(locked, Event::Retry { dependency })]).await.unwrap();
        transaction.commit().await.unwrap();
    };

    for (round, [one, other]) in all.pairs.iter().enumerate() {
        all.fail(*one).await;
        if round % 2 == 0 {
            tokio::join!(retry(*one), all.succeed(*other));
        } else {
            tokio::join!(retry(*one), all.fail(*other));
        }
    }

    let stuck = "job as score join job as parent on parent.id = score.depends_on
            or exists (select from job_dependency as d where d.job_id = score.id and d.parent_id = parent.id)
        where score.state = 'blocked' and parent.state in ('failed', 'cancelled', 'quarantined', 'stopped')";
    assert_eq!(all.scene.count(stuck).await, 0, "a job waits for one that has ended");
    let half = ROUNDS as i64 / 2;
    assert_eq!((all.are(StateName::Blocked).await, all.are(StateName::Failed).await), (half, ROUNDS as i64 - half));
}

#[tokio::test]
async fn a_training_that_ends_ends_what_waits_for_its_evaluations_and_opens_it_again() {
    let scene = Scene::new().await;
    let spec = sweep_spec("chain", &[1, 2]);
    let sweep = scene.submit(&spec).await;
    let mut transaction = scene.store.begin().await.unwrap();
    let scored = transaction.lock_evaluations(sweep).await.unwrap();
    let over_seeds: Vec<_> = scored.evaluations.iter().filter(|one| one.out == scored.evaluations[0].out).collect();
    let job = ScoreJob {
        kind: JobKind::Score,
        experiment: over_seeds[0].experiment,
        out: over_seeds[0].out.clone(),
        scores: vec![ScoreName::LogLikelihood],
        parents: over_seeds.iter().map(|one| (one.job, one.state)).collect(),
    };
    transaction.add_score_jobs(sweep, &spec, &[job]).await.unwrap();
    transaction.commit().await.unwrap();
    let session = scene.open_session(LONG).await;
    let [first, second] = [scene.claim(session).await.unwrap(), scene.claim(session).await.unwrap()];

    scene.complete(first, &scene.trained(first).await).await.unwrap();
    let applied = scene.fail(second, FailureKind::Permanent).await.unwrap();
    let ended = scene.states(sweep).await;

    assert_eq!(applied.changed, 4, "the training, its two evaluations, and the score job behind one of them");
    assert_eq!(ended, ["succeeded", "failed", "ready", "ready", "failed", "failed", "failed"]);

    let mut transaction = scene.store.begin().await.unwrap();
    let locked = transaction.lock_family(second.job).await.unwrap().unwrap();
    let retry = Event::Retry { dependency: domain::job::Dependency::Met };
    let applied = transaction.apply(vec![(locked, retry)]).await.unwrap();
    transaction.commit().await.unwrap();

    assert_eq!(applied.changed, 4);
    let opened = scene.states(sweep).await;
    assert_eq!(opened, ["succeeded", "ready", "ready", "ready", "blocked", "blocked", "blocked"]);
}

#[tokio::test]
async fn a_job_that_waits_comes_after_what_it_waits_for() {
    let all = pairs(1).await;
    let refused =
        all.scene.behind_the_scene("insert into job_dependency select depends_on, id from job where kind = 'score'");

    assert!(refused.await.is_err(), "the order of ids is the order of the locks");
    assert_eq!(all.scene.count("job_dependency").await, 1);
    assert_eq!((all.session, all.sweep).1, all.sweep);
}
