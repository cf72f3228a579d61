"""Runs and features on disk. Imports no torch, so that pages can read results quickly."""
