-- One coordinator at a time; the others need not wait, since the work is the same.
select pg_try_advisory_xact_lock(hashtext('spillway history')) as "locked!"
