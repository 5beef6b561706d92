select digest as "digest!: Vec<u8>"
from artifact
where digest = any($1::bytea[])
