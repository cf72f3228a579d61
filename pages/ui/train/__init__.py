"""Parts of the page *train*."""
