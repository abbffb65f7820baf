"""Differentially private mechanisms on latent vectors. A mechanism is a file."""
