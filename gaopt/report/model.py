"""The sections of a study's page on its best model: what it gets wrong, and how it is used."""

import shlex
from dataclasses import replace
from functools import partial
from statistics import fmean, stdev

import numpy as np

from gaopt.errors import StudyError
from gaopt.journal.history import History
from gaopt.journal.paths import StudyDir
from gaopt.objectives import finals
from gaopt.objectives.finals import Finished
from gaopt.printable import printable
from gaopt.report import format as words
from gaopt.report import views
from gaopt.report.page import Section, Table
from gaopt.report.plots import predictions as plots
from gaopt.report.predictions import Example, Predictions, read, wilson

LISTED = 50
"""Classes in the page's table."""
PAIRS = 10
"""Pairs of classes in the page's table."""

PYTHON = """\
import json
import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("model.onnx")
about = session.get_modelmeta().custom_metadata_map
side, classes = json.loads(about["size"]), json.loads(about["classes"])
image = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
pixels = np.asarray(ImageOps.fit(image, (side, side), Image.Resampling.BILINEAR))[None]
(probabilities,) = session.run(None, {"images": pixels})
print(classes[probabilities[0].argmax()], probabilities[0].max())
"""
GREY = {'.convert("RGB")': '.convert("L")', "BILINEAR))[None]": "BILINEAR))[None, ..., None]"}
"""What the same says where images have one channel."""


def sections(history: History, home: StudyDir) -> list[Section]:
    """None where the best model was not measured, or by a version that wrote no predictions."""
    if not (found := read(home, history)):
        return [_finished(history, home)]
    confusion, worst, doubtful = plots.confusion(found), plots.worst(found), plots.doubtful(found)
    return [
        *([confusion] if confusion else []),
        _pairs(found),
        _accuracies(found),
        *([replace(worst, table=_listed(found.worst))] if worst else []),
        *([replace(doubtful, table=_listed(found.doubtful))] if doubtful else []),
        _finished(history, home),
        _use(home, found.channels == 1),
    ]


def finished(history: History, home: StudyDir) -> Finished | None:
    """What finishing the study came to; None where it was not, or it cannot be read."""
    try:
        return finals.finished(home, history.best.id) if history.best else None
    except StudyError:
        return None


def finished_words(history: History, home: StudyDir) -> list[str]:
    """The same in a few sentences."""
    if not (found := finished(history, home)):
        return []
    say, name, each = partial(views.said, found.metric), views.title(found.metric), found.scores
    said = [f"On the test images one training on training and validation images has a {name} of {say(each[0])}."]
    if len(each) > 1:
        mean, spread = say(fmean(each)).removesuffix(" %"), say(stdev(each))
        which = f"{name} of {len(each)} trainings on training and validation images"
        said = [f"On the test images the mean {which} is {mean} ± {spread}, from {say(min(each))} to {say(max(each))}."]
    assert history.best
    if (judged := history.judged.get(history.best.id)) and found.metric in judged.metrics:
        searched = say(judged.metrics[found.metric])
        said.append(f"The best model of the search, without the validation images, has {searched}.")
    if found.ensemble is not None:
        said.append(f"The ensemble of all, by the mean of their probabilities, has {say(found.ensemble)}.")
    return [*said, f"predict and export use {found.title}."]


def _finished(history: History, home: StudyDir) -> Section:
    if not (found := finished(history, home)):
        return Section("")
    rows = [[str(number), views.said(found.metric, score)] for number, score in enumerate(found.scores, 1)]
    return Section(
        "Finished: trained again on training and validation images",
        text=" ".join(finished_words(history, home)),
        table=Table(["training", f"test {views.title(found.metric)}"], rows, frozenset({0})),
    )


def _pairs(found: Predictions) -> Section:
    """The most frequent mistakes; none between two classes, which the matrix shows."""
    wrong = found.matrix * (1 - np.eye(len(found.classes), dtype=int))
    rows = []
    for place in np.argsort(-wrong, axis=None, kind="stable")[: PAIRS if len(found.classes) > 2 else 0]:
        label, predicted = np.unravel_index(place, wrong.shape)
        if count := wrong[label, predicted]:
            share = words.percent(count / found.matrix[label].sum())
            rows.append([found.classes[label], found.classes[predicted], str(count), share])
    head = ["class", "taken for", "images", "of the class"]
    return Section("Most confused", table=Table(head, rows, frozenset({0, 1})))


def _accuracies(found: Predictions) -> Section:
    counts, right = found.matrix.sum(1), found.matrix.diagonal()
    there = [n for n in np.argsort(right / np.maximum(counts, 1), kind="stable") if counts[n]]
    rows = []
    for n in there[:LISTED]:
        low, high = wilson(right[n], counts[n])
        interval = f"{100 * low:.1f} … {100 * high:.1f} %"
        rows.append([found.classes[n], str(counts[n]), str(right[n]), words.percent(right[n] / counts[n]), interval])
    note = ["The interval is Wilson's for 95 %: what the accuracy of a class may be on other images like these."]
    if more := len(there[LISTED:]):
        note.append(f"{words.plural(more, 'class', 'classes')} more, with higher accuracies, are left out.")
    head = ["class", "test images", "right", "accuracy", "95 % interval"]
    return Section("Accuracy of each class, the lowest first", table=Table(head, rows, frozenset({0})), note=note)


def _listed(shown: list[Example]) -> Table:
    rows = [[each.image, each.label, each.predicted, words.percent(each.probability)] for each in shown]
    return Table(["image", "class", "taken for", "probability"], rows, frozenset({0, 1, 2}))


def _use(home: StudyDir, grey: bool) -> Section:
    study, program = shlex.quote(printable(home.name)), PYTHON
    for colour, one in GREY.items() if grey else ():
        program = program.replace(colour, one)
    return Section(
        "Use the model",
        commands=f"# the classes of images in a folder, as a table\ngaopt predict {study} photos/ --csv found.csv\n"
        f"# one file from pixels to probabilities, for onnxruntime; below it is used\ngaopt export {study} --to onnx",
        python=program,
    )
