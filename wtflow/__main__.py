"""`python -m wtflow`."""

from wtflow.cli import main

if __name__ == "__main__":
    main()
