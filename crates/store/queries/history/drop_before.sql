select drop_history_before($1, now() - make_interval(days => $2)) as "dropped!"
