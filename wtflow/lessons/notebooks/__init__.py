"""A notebook per lesson, for Jupyter and for marimo, in which wtflow's own functions find the lesson's numbers again:
`write_notebooks`.
"""
