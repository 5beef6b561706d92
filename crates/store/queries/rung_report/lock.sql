-- One report of a sweep is judged at a time, until the transaction's end: a place in the order is taken for good. Two
-- sweeps with the same hash wait for each other and nothing worse.
select pg_advisory_xact_lock(hashtextextended('rung report ' || $1::uuid::text, 0))
