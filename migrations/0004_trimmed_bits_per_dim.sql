-- Evaluations measure one number more.
comment on column evaluation.metric is 'auroc; bits-per-dim-mean, bits-per-dim-median and bits-per-dim-trimmed (textbook discrete bound, in bits per dimension; trimmed: the mean without the least likely twentieth of the images); outliers and non-finite (counts of images).';
