"""Parts of the pages *trajectories* and *wells*."""
