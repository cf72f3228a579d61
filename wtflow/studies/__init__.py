"""What is computed from a finished run on demand and kept with it: paths, projections, step studies.

`requests` lists the questions, `answers` reads and writes answers, `compute` makes them and `flow_answers` those that
need the network. `run_flow` opens a run, and each study is a file: `travel`, `steps`, `ideal`, `plane`, `neighbours`,
`probes`, `rescore`, `small_pictures`, `what_if`. wtflow/jobs runs long ones in a separate process.
"""
