"""How a generator is learnt from noisy sums over a cohort; each is a file."""
