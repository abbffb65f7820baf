"""Public directions of the latent: those of findings and those of identity."""
