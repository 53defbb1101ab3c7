"""What is offered, in which category, when, with how many seats, in which language, at what bandwidth."""
