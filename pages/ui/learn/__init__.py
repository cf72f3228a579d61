"""Parts of the page *learn*."""
