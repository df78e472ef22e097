"""Tune a support-vector machine of scikit-learn by cross-validation: a choice, and a gene that only one choice has.

Needs: pip install gaopt
Run:   python scikit_learn.py
"""

import gaopt


def error(genes):
    """The share of digits that it mistakes: a loss."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import cross_val_score
    from sklearn.svm import SVC

    images, labels = load_digits(return_X_y=True)
    return 1 - cross_val_score(SVC(**genes), images / 16, labels, cv=3).mean()


if __name__ == "__main__":
    space = gaopt.Space(
        C=gaopt.Gene(0.01, 1000, scale="log"),
        gamma=gaopt.Gene(1e-4, 1, scale="log"),
        kernel=gaopt.Choice(("rbf", "poly")),
        degree=gaopt.Gene(2, 5, integer=True, when="kernel == 'poly'"),
    )
    study = gaopt.search(error, space, trainings=20, minimize=True, name="scikit-learn")
    print(study.frame().sort_values("value")[["C", "gamma", "kernel", "degree", "value"]].head())
