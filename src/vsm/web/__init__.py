"""The browser's door: pages that work without JavaScript, on a phone, in four languages."""
