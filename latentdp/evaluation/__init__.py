"""Attackers, usefulness and the verdict on a release."""
