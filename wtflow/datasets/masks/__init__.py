"""What the values in mask files mean."""
