select
    step as "step!", loss_nats as "loss_nats!", bits_per_dim as "bits_per_dim!", gradient_norm as "gradient_norm!"
from training_curve
where experiment_id = $1
order by step
