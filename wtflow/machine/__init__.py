"""What belongs to the computer and not to the method:
cores, helpers, memory, the environment of a process that computes.
"""
