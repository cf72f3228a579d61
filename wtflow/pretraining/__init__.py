"""How the embedded backbone is made: drawn pictures, a teacher whose features are copied, a student that copies
them, the loop.
"""
