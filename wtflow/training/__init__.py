"""Training: the loop (no files, no UI), the worker (its own process), and the jobs that start and stop it."""
