"""Parts that are left out of a base: which were screened on, and what the verdicts on them mean."""
