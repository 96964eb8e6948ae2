"""`python -m hueandcry.cli` is `hueandcry`."""

from hueandcry.cli import main

if __name__ == "__main__":
    main()
