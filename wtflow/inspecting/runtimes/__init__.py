"""Which program computes the networks of an inspection: torch, or one that was measured to be faster here."""
