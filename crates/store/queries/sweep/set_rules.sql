-- A statement of its own, in the transaction that stores the sweep: most sweeps have neither.
update sweep
set early_stopping = $2, device_hours = $3
where id = $1
