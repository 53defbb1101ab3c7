"""How a language writes dates where Django's own habit would mislead: one module for each such language."""
