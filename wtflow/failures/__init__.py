"""What a run gets wrong and whether there is a pattern: calls at a threshold, facts of images, splits, groups,
regions, notes, and the sentences.
"""
