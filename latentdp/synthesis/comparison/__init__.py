"""All ways to a synthetic cohort side by side, on public images."""
