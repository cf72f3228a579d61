"""Work in separate processes: trainings and studies are started, watched and stopped; the two workers, how they
report, and how long a training will take.
"""
