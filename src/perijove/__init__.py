"""From JunoCam's raw framelets to registered, calibrated pictures of Jupiter."""

__version__ = "0.1.0"
