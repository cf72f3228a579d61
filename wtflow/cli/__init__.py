"""`python -m wtflow`: the same work as the pages, from the shell."""
