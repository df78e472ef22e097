"""Search a plain function, plot what was found, and go on where a kill stopped it.

Needs: pip install gaopt
Run:   python function.py        (again: it is done, and says so at once)
"""

import gaopt


def wave(genes):
    """Higher is better; the best is 1, at x = 0.3 and y = 0.7."""
    return 1 - (genes["x"] - 0.3) ** 2 - (genes["y"] - 0.7) ** 2


if __name__ == "__main__":
    space = gaopt.Space(x=gaopt.Gene(0, 1), y=gaopt.Gene(0, 1))
    study = gaopt.search(wave, space, trainings=20, name="function")
    print(study.best.genes, study.best.value)
    study.plot.fitness().figure.savefig("function.png")
