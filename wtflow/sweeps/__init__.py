"""Many runs over categories, settings and seeds: planned, computed by an executor, put into one table."""
