"""What is computed from a finished run on demand and kept with it: paths, projections, step studies.

`requests` says what can be asked, `files` reads and writes answers, `compute` makes them, `tasks` runs long ones as a
process of their own, `worker` is that process; these but `compute` load no torch. `run_flow` opens a run, and each
study is a file: `travel`, `steps`, `ideal`, `plane`, `neighbours`.
"""
