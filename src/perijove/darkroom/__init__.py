"""Pictures worked on as data: operators, layers, masks and recipes."""
