//! The history's months, as coordinators keep them.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its scene should panic")]

mod scene;

use std::time::Duration;

use coordinator::services::Retention;
use scene::{Scene, sweep_spec};
use store::{Connection, Store};

#[tokio::test]
async fn coordinators_drop_old_months_only_when_they_are_told_to() {
    let scene = Scene::new();
    let coordinator = scene.start().await;
    coordinator.submit(&sweep_spec("kept", &[1])).await.unwrap();
    scene.sql("select add_history_month('event', date '2020-02-01')");
    scene.sql("insert into event (at, sweep_id, kind) select '2020-02-10', id, 'old' from sweep");
    let connection =
        Connection { address: scene.database.clone(), max_connections: 2, patience: Duration::from_secs(20) };
    let store = Store::connect(&connection).await.unwrap();
    // The coordinator's own service may be at it at this moment; then it is asked again.
    let look = async |days| loop {
        if let Some(done) = Retention::new(store.clone(), days).run_once().await.unwrap() {
            return done;
        }
    };

    assert_eq!(look(0).await.dropped, Vec::<String>::new());
    assert_eq!(look(36_500).await.dropped, Vec::<String>::new());
    assert_eq!(look(365).await.dropped, ["event_2020_02"]);

    assert_eq!(coordinator.states("kept").await, ["ready", "blocked"]);
}
