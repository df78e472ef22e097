"""Tune the Trainer of Hugging Face: a small ResNet of transformers on digits.

Needs: pip install gaopt 'transformers[torch]'
Run:   python hf_trainer.py
"""

import gaopt


def train(task, report):
    import torch
    from sklearn.datasets import load_digits
    from transformers import ResNetConfig, ResNetForImageClassification, Trainer, TrainerCallback, TrainingArguments

    class Reporting(TrainerCallback):
        def on_evaluate(self, arguments, state, control, metrics, **_):
            report(round(state.epoch), {name: metrics[f"eval_{name}"] for name in ("loss", "accuracy")})

    digits = load_digits()
    images = torch.tensor(digits.images / 8 - 1, dtype=torch.float32)[:, None]
    rows = [{"pixel_values": image, "labels": int(label)} for image, label in zip(images, digits.target, strict=True)]
    arguments = TrainingArguments(
        output_dir=str(task.folder), seed=task.seed, learning_rate=task.genes["lr"], weight_decay=task.genes["wd"],
        warmup_steps=task.genes["warmup"], num_train_epochs=2, per_device_train_batch_size=32, use_cpu=True,
        per_device_eval_batch_size=400, eval_strategy="epoch", save_strategy="no", report_to=[], disable_tqdm=True,
    )  # fmt: skip
    torch.manual_seed(task.seed)
    trainer = Trainer(
        ResNetForImageClassification(
            ResNetConfig(num_channels=1, embedding_size=16, hidden_sizes=[16, 32], depths=[1, 1], num_labels=10)
        ),
        arguments,
        train_dataset=rows[:600],
        eval_dataset=rows[1400:],
        compute_metrics=lambda found: {"accuracy": float((found.predictions.argmax(1) == found.label_ids).mean())},
        callbacks=[Reporting()],
    )
    trainer.train()
    return trainer.state.log_history[-2]["eval_accuracy"]  # the last entry is the training's summary


if __name__ == "__main__":
    space = gaopt.Space(
        lr=gaopt.Gene(1e-4, 1e-1, scale="log"), wd=gaopt.Gene(0, 0.1), warmup=gaopt.Gene(0, 30, integer=True)
    )
    study = gaopt.search(train, space, trainings=4, name="hf-trainer")
    print(study.best.genes, study.best.value)
