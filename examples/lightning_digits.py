"""Tune a module of Lightning: each epoch is reported, so that a trainer is seen live and can be stopped early.

Needs: pip install gaopt lightning
Run:   python lightning_digits.py
"""

import gaopt


def train(task, report):
    import lightning
    import torch
    from sklearn.datasets import load_digits
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset, random_split

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(64, 32), nn.ReLU(), nn.Dropout(task.genes["dropout"]), nn.Linear(32, 10)
            )

        def training_step(self, batch, _):
            return nn.functional.cross_entropy(self.layers(batch[0]), batch[1])

        def validation_step(self, batch, _):
            self.log("accuracy", (self.layers(batch[0]).argmax(1) == batch[1]).float().mean())

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=task.genes["lr"])

    class Reporting(lightning.Callback):
        def on_validation_epoch_end(self, trainer, module):
            if not trainer.sanity_checking:
                report(trainer.current_epoch + 1, {"accuracy": trainer.callback_metrics["accuracy"].item()})

    lightning.seed_everything(task.seed, verbose=False)
    digits = load_digits()
    data = TensorDataset(torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target))
    train_set, valid_set = random_split(data, [0.8, 0.2], torch.Generator().manual_seed(0))
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[Reporting()],
    )  # fmt: skip
    trainer.fit(Net(), DataLoader(train_set, 64, shuffle=True), DataLoader(valid_set, 360))
    return trainer.callback_metrics["accuracy"].item()


if __name__ == "__main__":
    space = gaopt.Space(lr=gaopt.Gene(1e-4, 1e-1, scale="log"), dropout=gaopt.Gene(0, 0.5))
    study = gaopt.search(train, space, trainings=8, name="lightning")
    print(study.best.genes, study.best.value)
