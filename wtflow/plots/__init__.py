"""Records and NumPy arrays in, Plotly figure out. No torch, no store, no Streamlit here.

Figures set no text colour and no background: the page that shows them brings its theme, light or dark.
A colour stands for a meaning (`theme.COLOURS`), and for the same one in every figure.
"""
