"""Numbers in, numbers out: every epsilon is derived here. No file, no torch."""
