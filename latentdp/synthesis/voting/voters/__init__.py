"""Who votes: each file is one way to have voters behind each of whom a patient stands once."""
