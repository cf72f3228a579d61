"""Parts of the page *failures*."""
