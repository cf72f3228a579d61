"""Parts of the page *localization*."""
