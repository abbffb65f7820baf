"""What every room uses and what knows neither privacy nor images."""
