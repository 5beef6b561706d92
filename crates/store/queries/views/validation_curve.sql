select step as "step!", bits_per_dim, auroc
from validation_curve
where experiment_id = $1
order by step
