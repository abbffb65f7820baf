"""What is measured, a family a file: each file lists its metrics, and is a plug-in."""
