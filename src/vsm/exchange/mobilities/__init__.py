"""Physical mobilities: who is, was or will be where, when, for which courses."""
