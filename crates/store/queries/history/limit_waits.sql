-- Whoever reads or writes meanwhile queues behind a lock that is waited for.
select set_config('lock_timeout', $1, true) as "set!"
