"""All that links a release to its sources or says what was spent; secret."""
