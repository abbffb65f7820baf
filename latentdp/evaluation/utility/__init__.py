"""What a release is still good for. A measure is a file."""
