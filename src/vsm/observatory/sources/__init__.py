"""Where figures come from: sources with their licences, their releases as they came, and observations that nobody changes."""
