"""`python -m hmnet`: the command of this name."""

from cli.hmnet import main

if __name__ == "__main__":
    main()
