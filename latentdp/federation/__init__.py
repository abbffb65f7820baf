"""Hospitals that learn together: each shares sums that are private already, and anybody adds."""
