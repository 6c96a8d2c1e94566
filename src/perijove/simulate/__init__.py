"""A Jupiter, a Juno and a JunoCam that never were: raw framelets with their truth."""
