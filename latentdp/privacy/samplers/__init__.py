"""Exact samplers: integers from the uniform bits of `latentdp.privacy.noise`."""
