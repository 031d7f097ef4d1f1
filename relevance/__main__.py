"""`python -m relevance`: the command of this name."""

from cli.relevance import main

if __name__ == "__main__":
    main()
