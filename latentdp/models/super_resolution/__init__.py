"""The detail of images larger than the flow, drawn doubling by doubling."""
