"""What a run ends with: its saved model, predictions and scores on valid, figures, and result.json last."""

from dataclasses import asdict, dataclass

from .evaluation import score
from .figures import draw_confusion, draw_curves
from .folders import VALID, ImageFolder
from .inference import Inference
from .learners import DigitLearner, Keep
from .outputs import whole_file, write_json
from .prediction import Predictions, split_probabilities
from .runs import Run
from .saved import SavedModel


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
        return "\n".join(lines)

    __str__ = __rich__


def write_result(run: Run, folder: ImageFolder, prepared: DigitLearner, history: list[dict], keep: Keep) -> Result:
    """Saved model, predictions and scores on valid, figures; result.json last."""
    module, kept_epoch = prepared.learner.model, history[-1]["epoch"]
    if keep != "last":
        best = run.read_checkpoint(best=True)
        module.load_state_dict(best["model"])
        kept_epoch = best["history"][-1]["epoch"]
    saved = SavedModel(
        module.eval(), prepared.backbone.name, folder.classes, prepared.size, prepared.mean, prepared.std
    )
    saved.write(run.path)
    draw_curves(history, run.figure("curves"))
    seconds = round(sum(row["seconds"] for row in history), 1)
    result = {"epochs": len(history), "kept_epoch": kept_epoch, "seconds": seconds}
    result |= {"accuracy": None, "interval": None, "valid_pictures": 0}
    if VALID in folder.splits:
        result |= _score_valid(run, folder, saved)
    write_json(run.result_file, result)
    return Result(run, result)


def _score_valid(run: Run, folder: ImageFolder, saved: SavedModel) -> dict:
    """Predictions, scores and confusion on valid into the run; what result.json takes over."""
    valid = folder.split(VALID)
    probabilities = split_probabilities(Inference([saved], exact=True), folder, VALID)
    table = Predictions(valid.ids, probabilities, folder.classes).table(probabilities=True)
    table.insert(1, "true", valid.labels)
    with whole_file(run.predictions_file) as partial:
        table.to_csv(partial, index=False)
    evaluation = score(valid.labels, probabilities, folder.classes, f"{folder.path} ({VALID})")
    write_json(run.evaluation_file, asdict(evaluation))
    draw_confusion(evaluation.confusion, folder.classes, run.figure("confusion"))
    return {
        "accuracy": evaluation.accuracy,
        "interval": evaluation.interval,
        "valid_pictures": evaluation.pictures,
    }
