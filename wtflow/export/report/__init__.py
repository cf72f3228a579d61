"""A report of one to four finished runs as one HTML file that needs no network, no script and no other file.

`run_part` and `comparison` collect what is known, `pictures` and `figures` draw it, `html` fills the template, `write`
keeps the file within a size and writes it.
"""
