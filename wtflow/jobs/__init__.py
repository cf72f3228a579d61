"""Work in processes of its own: trainings and studies started, watched, stopped; the two workers; how they report;
how long they will take.
"""
