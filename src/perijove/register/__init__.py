"""Finding the pointing in the image itself."""
