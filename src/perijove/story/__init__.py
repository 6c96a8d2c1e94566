"""What is told about a picture: credit, captions, annotation."""
