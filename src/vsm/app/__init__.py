"""The composition root: settings, addresses, subscriptions. Nothing imports it."""
