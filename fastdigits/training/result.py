"""What a run ends with: its saved model, predictions and scores on valid, figures, and result.json last."""

import math
from collections import Counter
from dataclasses import asdict, dataclass

import numpy as np

from ..answers import ENOUGH, Inference, Judge, answer, counted
from ..folders import (
    TRAIN,
    VALID,
    ImageFolder,
    ground_of_split,
    measured,
    split_source,
    spread_pictures,
)
from ..models import SavedModel
from ..photos import Summary, summary_of
from ..runs import Run, checkpoint_weights
from ..scores import (
    PERFECT_HINT,
    Evaluation,
    ValidAnswers,
    class_numbers,
    fit_temperature,
    kept_of_valid,
    with_temperature,
)
from ..system import write_json
from .arguments import Keep
from .card import model_card
from .learner import DigitLearner

MOST_TAKEN = 0.005  # of valid digits, whom the bound takes for several digits or none
LEAST_OUTLYING = 0.1  # that bound at least: digits of other collections lie nearer to it than valid ones
MEASURED = 2_000  # training pictures
UNEQUAL = 3  # times as many rows as another class


@dataclass(frozen=True)
class Result:
    """A finished run."""

    run: Run
    result: dict

    def __rich__(self) -> str:
        lines = [f"run {self.run.path}"]
        if self.result["accuracy"] is not None:
            low, high = self.result["interval"]
            f1 = f", macro F1 {self.result['macro_f1']:.4f}," if self.result.get("unequal") else ""
            lines.append(
                f"accuracy {self.result['accuracy']:.2%} (95 % interval {low:.2%} .. {high:.2%}){f1} "
                f"on {self.result['valid_pictures']:,} valid pictures"
            )
        if self.result.get("outliers") is not None:
            lines.append(f"{self.result['outliers']:.2%} of them are taken for several digits or none")
        if self.result.get("unequal"):
            lines.append(self.result["unequal"])
        if self.result["accuracy"] == 1:
            lines.append(PERFECT_HINT)
        return "\n".join(lines)

    __str__ = __rich__


def write_result(
    run: Run, folder: ImageFolder, prepared: DigitLearner, history: list[dict], keep: Keep, lasting: bool
) -> Result:
    """Saved model, predictions and scores on valid, figures if wished; result.json last."""
    module, kept_epoch = prepared.learner.model, history[-1]["epoch"]
    if keep != "last":
        best = run.read_checkpoint(best=True)
        module.load_state_dict(checkpoint_weights(best))
        kept_epoch = best["history"][-1]["epoch"]
    record = run.record()
    settings = record["settings"]
    saved = SavedModel(
        module.eval(),
        architecture=prepared.backbone.name,
        classes=folder.classes,
        size=prepared.size,
        mean=prepared.mean,
        std=prepared.std,
        outliers={"above": LEAST_OUTLYING if VALID not in folder.splits else 1.0} if settings.get("reject") else None,
        normalise=folder.is_normalised,
        ground=ground_of_split(folder, TRAIN),
        properties=_properties(folder, prepared.size),
    )
    seconds = round(sum(row["seconds"] for row in history), 1)
    result = {"epochs": len(history), "kept_epoch": kept_epoch, "seconds": seconds}
    result |= {"accuracy": None, "interval": None, "valid_pictures": 0, "temperature": None}
    evaluation = _score_valid(run, folder, saved) if VALID in folder.splits else None
    of_machine = [record["machine_note"]] if "machine_note" in record else []
    notes = [*record.get("data_notes", []), *of_machine, *record.get("notes", [])]
    result |= {"macro_f1": None, "notes": notes}
    result["unequal"] = unequal_classes(folder, settings.get("balance", False))
    if evaluation:
        result |= {"accuracy": evaluation.accuracy, "interval": evaluation.interval, "macro_f1": evaluation.macro_f1}
        result |= {"valid_pictures": evaluation.pictures, "temperature": saved.temperature}
        result["outliers"] = evaluation.outliers if saved.outliers else None
    saved.card = model_card(saved, folder, record, result, evaluation)
    saved.write(run.path)
    if lasting:
        _draw(run, history, evaluation, folder.classes)
    write_json(run.result_file, result)
    return Result(run, result)


def _draw(run: Run, history: list[dict], evaluation: Evaluation | None, classes: list[str]) -> None:
    from ..figures import draw_confusion, draw_curves

    draw_curves(history, run.figure("curves"))
    if evaluation:
        draw_confusion(evaluation.confusion, classes, run.figure("confusion"))


def _score_valid(run: Run, folder: ImageFolder, saved: SavedModel) -> Evaluation:
    """Scores on valid, written into the run; the model gets its temperature and its rules for rejecting."""
    valid = folder.split(VALID)
    found = answer(Inference([saved], exact=True), split_source(folder, VALID))
    truth = class_numbers(valid.labels, folder.classes)
    saved.temperature = fit_temperature(found.probabilities, truth)
    probabilities = with_temperature(found.probabilities, saved.temperature)
    of_training = class_numbers(folder.split(TRAIN).labels, folder.classes)
    saved.valid = kept_of_valid(probabilities, truth, np.bincount(of_training, minlength=len(folder.classes)))
    answers = ValidAnswers(valid.ids, valid.labels, probabilities, folder.classes, valid.groups)
    answers.write(run)
    evaluation = answers.evaluation(f"{folder.path} ({VALID})")
    saved.reject = {"below": doubtful_below(evaluation), "wished_accuracy": evaluation.reject.wished_accuracy}
    shares, contents = probabilities, found.contents
    if found.outliers is not None:  # contents are what the ink tells so far
        bound = np.quantile(found.outliers.sum(1), 1 - MOST_TAKEN, method="higher")
        saved.outliers = {"above": max(LEAST_OUTLYING, math.ceil(bound * 1e4) / 1e4)}
        shares = np.concatenate([probabilities, found.outliers], axis=1)
    evaluation.verdicts = counted(Judge.of([saved]).verdicts(shares, contents))
    write_json(run.evaluation_file, asdict(evaluation))
    return evaluation


def doubtful_below(evaluation: Evaluation) -> float:
    """The confidence below which the model's answers are doubtful from now on.

    Few valid pictures can all be right, and then their rule rejects nothing; other pictures may be harder. Where no
    rule gives the wished accuracy, answers are doubtful that are less sure than the surest on valid, which was wrong.
    """
    rule = evaluation.reject
    if rule.below is None:
        return max(ENOUGH, evaluation.coverage[0][0])
    return max(ENOUGH, rule.below)


def _properties(folder: ImageFolder, size: int) -> Summary:
    """What some training pictures look like."""
    _, images = spread_pictures(folder, TRAIN, size, MEASURED)
    return summary_of(measured(images))


def unequal_classes(folder: ImageFolder, is_balanced: bool) -> str | None:
    """A sentence where some class has far fewer training rows than another, so that accuracy says little of it."""
    counts = Counter(folder.split(TRAIN).labels)
    (most, many), (fewest, few) = counts.most_common()[0], counts.most_common()[-1]
    if many < UNEQUAL * few:
        return None
    hint = "" if is_balanced else ", and --balance trains so"
    return (
        f"the classes are unequal: {few:,} training pictures of {fewest!r}, {many:,} of {most!r}; macro F1 counts each "
        f"class alike{hint}"
    )
