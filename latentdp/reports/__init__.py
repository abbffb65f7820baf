"""Self-contained HTML pages about a release: one to publish, one to review it in private."""
