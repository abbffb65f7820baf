"""Private aggregation of teachers (PATE): voters of different patients label public images."""
