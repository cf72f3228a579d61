"""Two to four runs side by side: metrics with paired intervals, pixel tallies, images that runs call differently."""
