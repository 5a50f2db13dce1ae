"""The paper's network, one file for each part. They import torch and this package's errors, nothing else."""
