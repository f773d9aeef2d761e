"""Parts that are left out of a base: their arms, contrasts, and the fraction that screens them."""
