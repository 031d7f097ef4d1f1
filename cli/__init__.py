"""The two commands, `relevance` and `hmnet`: parse, call one library function, show."""
