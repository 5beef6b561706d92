select fingerprint, document
from experiment_spec
where fingerprint = any($1::bytea[])
