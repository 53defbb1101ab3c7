"""What any program needs and no student would recognise."""
