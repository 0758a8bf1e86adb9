"""What a run ends with: its saved model, predictions and scores on valid, figures, and result.json last."""

from dataclasses import asdict, dataclass

from ..answers import Inference, split_probabilities
from ..folders import VALID, ImageFolder
from ..models import SavedModel
from ..runs import Run, kept_weights
from ..scores import PERFECT_HINT, Evaluation, ValidAnswers, class_numbers, fit_temperature, with_temperature
from ..system import write_json
from .arguments import Keep
from .card import model_card
from .learner import DigitLearner


@dataclass(frozen=True)
class Result:
    """A finished run."""

    run: Run
    result: dict

    def __rich__(self) -> str:
        lines = [f"run {self.run.path}"]
        if self.result["accuracy"] is not None:
            low, high = self.result["interval"]
            lines.append(
                f"accuracy {self.result['accuracy']:.2%} (95 % interval {low:.2%} .. {high:.2%}) "
                f"on {self.result['valid_pictures']:,} valid pictures"
            )
        if self.result["accuracy"] == 1:
            lines.append(PERFECT_HINT)
        return "\n".join(lines)

    __str__ = __rich__


def write_result(
    run: Run, folder: ImageFolder, prepared: DigitLearner, history: list[dict], keep: Keep, draw: bool
) -> Result:
    """Saved model, predictions and scores on valid, figures if wished; result.json last."""
    module, kept_epoch = prepared.learner.model, history[-1]["epoch"]
    if keep != "last":
        best = run.read_checkpoint(best=True)
        module.load_state_dict(kept_weights(best))
        kept_epoch = best["history"][-1]["epoch"]
    saved = SavedModel(
        module.eval(),
        architecture=prepared.backbone.name,
        classes=folder.classes,
        size=prepared.size,
        mean=prepared.mean,
        std=prepared.std,
        normalise=folder.is_normalised,
    )
    seconds = round(sum(row["seconds"] for row in history), 1)
    result = {"epochs": len(history), "kept_epoch": kept_epoch, "seconds": seconds}
    result |= {"accuracy": None, "interval": None, "valid_pictures": 0, "temperature": None}
    evaluation = _score_valid(run, folder, saved) if VALID in folder.splits else None
    if evaluation:
        result |= {"accuracy": evaluation.accuracy, "interval": evaluation.interval}
        result |= {"valid_pictures": evaluation.pictures, "temperature": saved.temperature}
    saved.card = model_card(saved, folder, run.record(), result, evaluation)
    saved.write(run.path)
    if draw:
        _draw(run, history, evaluation, folder.classes)
    write_json(run.result_file, result)
    return Result(run, result)


def _draw(run: Run, history: list[dict], evaluation: Evaluation | None, classes: list[str]) -> None:
    from ..figures import draw_confusion, draw_curves

    draw_curves(history, run.figure("curves"))
    if evaluation:
        draw_confusion(evaluation.confusion, classes, run.figure("confusion"))


def _score_valid(run: Run, folder: ImageFolder, saved: SavedModel) -> Evaluation:
    """Scores on valid, written into the run; the model gets its temperature and its rule for rejecting."""
    valid = folder.split(VALID)
    probabilities = split_probabilities(Inference([saved], exact=True), folder, VALID)
    saved.temperature = fit_temperature(probabilities, class_numbers(valid.labels, folder.classes))
    probabilities = with_temperature(probabilities, saved.temperature)
    answers = ValidAnswers(valid.ids, valid.labels, probabilities, folder.classes, valid.groups)
    answers.write(run)
    evaluation = answers.evaluation(f"{folder.path} ({VALID})")
    if evaluation.reject.below is not None:
        saved.reject = {"below": evaluation.reject.below, "wished_accuracy": evaluation.reject.wished_accuracy}
    write_json(run.evaluation_file, asdict(evaluation))
    return evaluation
