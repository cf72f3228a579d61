"""Parts of the page *follow* and of the lesson that shows the same."""
