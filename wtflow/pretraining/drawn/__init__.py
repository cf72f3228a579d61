"""Pictures to learn from, drawn at random: materials, lines, shapes, light. `pictures` puts one together and writes
a bank of them.
"""
