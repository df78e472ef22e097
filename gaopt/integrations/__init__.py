"""The search in the loops of others: Optuna's and Ray Tune's. Each file is imported by who has that library."""
