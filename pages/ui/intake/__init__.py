"""Photos of a person become a data set: what the page *Data* and the pages of corrections share."""
