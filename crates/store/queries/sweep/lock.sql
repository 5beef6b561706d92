-- Whoever counts the running jobs of a sweep against its limit waits here for the one before.
select id from sweep where id = $1 for no key update
