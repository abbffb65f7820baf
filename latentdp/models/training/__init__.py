"""How networks learn: interrupted runs go on from a state file."""
