"""What is estimated: each value with a band whose coverage was measured, and gates that keep what fails experimental."""
