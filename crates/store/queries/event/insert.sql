insert into event (sweep_id, kind, detail)
values ($1, $2, $3)
