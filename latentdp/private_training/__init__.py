"""Classifiers that learn from a private cohort, each patient protected from whoever has them."""
