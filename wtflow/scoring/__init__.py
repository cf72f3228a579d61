"""What a score is, in one place: features normalised, moved by the flow, turned into maps, levelled, read as image
scores, and evaluated.
"""
