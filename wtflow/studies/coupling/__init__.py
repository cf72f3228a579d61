"""When does the coupling matter? Small flows on a run's own features, by dimension, group and coupling."""
