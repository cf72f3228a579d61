"""The lessons as a folder of static files, which open from a disk and from any web host: `write_site`.

The pictures are the scripts of the page *Learn*. What Python computes for them there, their scenes and checks, is
stored here for some samples; for points drawn by hand the browser makes the scene itself.
"""
