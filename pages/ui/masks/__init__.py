"""Parts of the pages `data` and `train`: what the masks of a category mean, and a person's word on it."""
