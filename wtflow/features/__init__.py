"""Images to features: the frozen backbone, its weights, and the cached extraction."""
