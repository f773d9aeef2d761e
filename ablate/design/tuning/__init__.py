"""What a suite says of tuning, and the file of tuned values."""
