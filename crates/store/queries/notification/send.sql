select pg_notify($1, $2) is not null as "sent!"
