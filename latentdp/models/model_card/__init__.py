"""What is measured of weights for their cards."""
