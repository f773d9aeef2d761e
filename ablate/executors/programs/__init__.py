"""Other people's training: commands and functions as arms, and what they leave behind."""
