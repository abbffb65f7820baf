"""Noisy elections: who has most votes, answered with exact noise. Each file is one of them."""
