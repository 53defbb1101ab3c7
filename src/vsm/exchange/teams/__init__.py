"""Mixed teams: formed by rules that are told, explained in words, kept stable when a few join or leave."""
