"""Who may use the app where others can reach it: the door of its server, and the role of each visitor."""
