"""How long the server works for what a person does, for `python -m wtflow bench`."""
