"""Attacks on a release: what an adversary tries. An attack is a file."""
