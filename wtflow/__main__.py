"""`python -m wtflow`."""

from wtflow.cli.app import main

if __name__ == "__main__":
    main()
