-- One coordinator at a time decides; the lock goes with the transaction.
select pg_try_advisory_xact_lock(hashtext('spillway: preemption')) as "locked!"
