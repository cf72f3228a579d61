"""What layers hand each other: NumPy arrays and plain values, no tensors and no widgets. One file a subject; `core`
holds what all share.
"""
