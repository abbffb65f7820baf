"""A folder in, a private folder out: find, decide, reserve, privatize, write, record, publish."""
