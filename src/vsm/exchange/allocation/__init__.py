"""Fair distribution of seats: a pure solver, its inputs kept, its reasons explained."""
