"""What a synthetic set is good for, and what can be learnt from it of who was in the cohort."""
