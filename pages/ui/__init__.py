"""What pages share: the frame, choices in the address, caches, widgets and errors. A sub-folder, so it is not listed
as a page.
"""
