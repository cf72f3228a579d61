"""What masks mean: the values in them, a person's rule, the app's own where there is no doubt, regions at map size."""
