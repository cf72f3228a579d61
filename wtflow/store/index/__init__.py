"""The index of a store: what lists of runs need, in one SQLite file beside the runs.

The folders are the truth. The file is made from them, compared with them at every look, and safe to delete.
"""
