"""What people would use instead of this tool, from their papers. A rival is a file."""
