select pg_notify($1, '') is not null as "sent!"
