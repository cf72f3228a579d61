"""Parts of the page *sweep*."""
