"""The detail of images larger than the flow, drawn octave by octave."""
