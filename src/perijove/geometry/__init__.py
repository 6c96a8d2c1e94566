"""Where the camera was and where each pixel looked."""
