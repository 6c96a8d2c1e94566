"""Files for others to read."""
