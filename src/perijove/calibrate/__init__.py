"""From codes to I/F."""
