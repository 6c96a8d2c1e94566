"""From linear planes to a picture."""
