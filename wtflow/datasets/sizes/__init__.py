"""Which image size suits the normals: their own size, the detail that they show, and the time that a size takes."""
