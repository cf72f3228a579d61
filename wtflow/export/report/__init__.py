"""A report of one to four finished runs as one HTML file that needs no network, no script and no other file.

`facts` collects what is known, `pictures` and `figures` draw it, `html` sets it, `write` puts it together within a size
and on the disk.
"""
