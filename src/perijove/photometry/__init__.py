"""How Jupiter's brightness depends on the angles of the light: laws, their fit, and pictures without it."""
