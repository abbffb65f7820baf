"""How a classifier is learnt under noise; each is a file."""
