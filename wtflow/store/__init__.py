"""Runs and features on disk. Imports no torch: pages read results without paying for it."""
