"""Images and what is known of them, from and to disk."""
