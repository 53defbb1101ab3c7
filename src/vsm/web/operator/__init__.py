"""Pages for whoever runs this installation."""
