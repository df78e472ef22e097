"""Tune a gradient-boosted classifier of scikit-learn by cross-validation: a loss, a whole number and a choice.

Needs: pip install gaopt
Run:   python scikit_learn.py
"""

import gaopt


WEIGHTS = {"none": None, "balanced": "balanced"}


def log_loss(genes):
    from sklearn.datasets import load_wine
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import cross_val_score

    model = HistGradientBoostingClassifier(
        learning_rate=genes["lr"], max_leaf_nodes=genes["leaves"], class_weight=WEIGHTS[genes["weights"]], max_iter=40
    )
    images, labels = load_wine(return_X_y=True)
    return -cross_val_score(model, images, labels, scoring="neg_log_loss", cv=3).mean()


if __name__ == "__main__":
    space = gaopt.Space(
        lr=gaopt.Gene(0.01, 1, scale="log"),
        leaves=gaopt.Gene(4, 64, scale="log", integer=True),
        weights=gaopt.Choice(("none", "balanced")),
    )
    study = gaopt.search(log_loss, space, trainings=16, minimize=True, name="scikit-learn")
    print(study.frame().sort_values("fitness").head())
