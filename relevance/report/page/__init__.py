"""The page that people take away: laid out as a plain value, then written as HTML and Markdown."""
