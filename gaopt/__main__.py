"""python -m gaopt"""

from gaopt.cli import main

if __name__ == "__main__":
    main()
