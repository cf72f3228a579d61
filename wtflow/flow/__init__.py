"""The flow itself: path, coupling, velocity network, integration, closed forms.

Time runs from data (t=0) to standard Gaussian noise (t=1) in every module of this package.
Importing it imports no torch; take what you need from `path`, `coupling`, `velocity`, `integrate` and `exact`.
"""
