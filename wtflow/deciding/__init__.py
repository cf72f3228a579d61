"""How a threshold is chosen, what it costs, and which one is in force."""
