"""The Exchange: all six categories of virtual mobility, from the agreement to the recognised credit."""
