"""A trained detector with all that it needs to score new images, opened from a run or from one file without it."""
