"""The model card: what to know before using a model, as the README.md beside its weights."""

from pathlib import Path

from ..folders import ImageFolder
from ..models import SavedModel
from ..recipes import Stage
from ..scores import Evaluation

USE = """## How to use it

```sh
fastdigits predict MODEL picture.png
fastdigits predict MODEL test.csv --submission kaggle
```

```python
from fastdigits import predict

predict("MODEL", "test.csv").labels
```

MODEL is this folder. Nothing in it is a pickle: the weights are safetensors, `model.json` says how to use them and
holds their sha256.
"""
OF_SECOND = (
    "These are the scores of a second model, trained in the same way on a part of the rows; this one was trained on "
    "all of them."
)


def model_card(
    saved: SavedModel,
    folder: ImageFolder,
    record: dict,
    result: dict,
    evaluation: Evaluation | None,
    of_second: bool = False,
) -> str:
    """The card of a run's model, in Markdown with the metadata that model hubs read.

    Parameters
    ----------
    saved : SavedModel
    folder : ImageFolder
        What it was trained on.
    record, result : dict
        run.json and result.json.
    evaluation : Evaluation or None
        On valid; None when all rows trained.
    of_second : bool
        Whether the scores are those of a second model, trained in the same way on a part of the rows.
    """
    parts = [
        _metadata(saved, folder, None if of_second else evaluation),
        f"# {saved.architecture} for {len(saved.classes)} classes: {', '.join(saved.classes[:20])}",
        _data(folder),
        _recipe(saved, record, result),
        _scores(evaluation, of_second),
        _limits(saved, folder, record, evaluation),
        USE.rstrip(),
    ]
    return "\n\n".join(parts) + "\n"


def _metadata(saved: SavedModel, folder: ImageFolder, evaluation: Evaluation | None) -> str:
    lines = ["---", "library_name: fastdigits", "pipeline_tag: image-classification", "tags:"]
    lines += [f"- {tag}" for tag in ("handwritten-digits", "fastai", saved.architecture)]
    if evaluation:
        lines += [
            "model-index:",
            f"- name: {saved.architecture}",
            "  results:",
            "  - task: {type: image-classification}",
            f"    dataset: {{name: {folder.path.name!r}, type: image-folder, split: valid}}",
            f"    metrics: [{{type: accuracy, value: {evaluation.accuracy:.6f}}}]",
        ]
    return "\n".join([*lines, "---"])


def _data(folder: ImageFolder) -> str:
    manifest = (folder.whole or folder).manifest or {}
    source = manifest.get("source")
    lines = ["## Data", ""]
    lines.append(f"- trained on {len(folder.split('train')):,} pictures of the folder `{folder.path.name}`")
    if source:
        lines.append(f"- made from `{source['name'].rsplit('/', 1)[-1]}` (sha256 `{source['sha256'][:16]}…`)")
    if folder.whole:
        lines.append("- one of several folds: what was held back is its valid part")
    elif manifest:
        split = manifest["split"]
        how = f"by group ({split['groups']}): no group on both sides" if split["groups"] else f"{split['method']} rows"
        lines.append(f"- split {how}, valid {split['valid']:g}, seed {split['seed']}")
    lines += [f"- {note}" for note in manifest.get("notes", [])]
    return "\n".join(lines)


def _recipe(saved: SavedModel, record: dict, result: dict) -> str:
    settings = record.get("settings", {})
    lines = [
        "## Recipe",
        "",
        f"- {saved.architecture} at {saved.size} px, {len(saved.mean)} channel{'s' if len(saved.mean) > 1 else ''}; "
        f"starting weights: {record['weights']}",
        f"- {result['epochs']} epochs, the weights of epoch {result['kept_epoch']:g}; "
        f"batch {settings.get('batch_size')}, {settings.get('optimizer')}, augmentation {settings.get('augment')}",
    ]
    if settings.get("teachers"):
        teachers = ", ".join(Path(teacher).name for teacher in settings["teachers"])
        lines.append(f"- taught by the labels and by the answers of {teachers}")
    lines += [f"- stage {Stage.from_record(stage).sentence}" for stage in record["stages"]]
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines.append(f"- seed {settings.get('seed')}, {record['precision']} on {record['device']}; {versions}")
    return "\n".join(lines)


def _scores(evaluation: Evaluation | None, of_second: bool) -> str:
    if evaluation is None:
        return "## Scores\n\nNone: all rows were trained on, so nothing was left to score it by."
    low, high = evaluation.interval
    it = "the second model" if of_second else "it"
    lines = [
        "## Scores",
        "",
        *([OF_SECOND, ""] if of_second else []),
        f"On {evaluation.pictures:,} pictures that {it} was not trained on (their labels chose the temperature, and "
        "the weights where an epoch was chosen):",
        "",
        f"- accuracy {evaluation.accuracy:.2%}, 95 % interval {low:.2%} .. {high:.2%}",
        *(f"- {line}" for line in evaluation.sentences()),
    ]
    return "\n".join(lines)


def _outliers(saved: SavedModel) -> str:
    if saved.above is None:
        return (
            "- It gives one of its classes to every picture, a blank one and a letter too; a low confidence is the "
            "only sign. Training with `--reject` teaches it to say so."
        )
    return (
        "- It was also shown drawn pictures of several digits and of none, and says `several` or `other` where their "
        f"share is above {saved.above:.2f}."
    )


def _limits(saved: SavedModel, folder: ImageFolder, record: dict, evaluation: Evaluation | None) -> str:
    manifest = folder.manifest or {}
    lines = [
        "## Limits",
        "",
        _outliers(saved),
        "- It expects digits as they were trained: gray, light on dark, of the same size and place in the picture.",
    ]
    if saved.normalise:
        lines.append(
            "- fastdigits brings photos to that form; tables, and 28x28 pictures that have it already, stay as they "
            "are."
        )
    by_group = bool(evaluation and evaluation.groups)
    if evaluation and not by_group and not manifest.get("split", {}).get("groups"):
        lines.append(
            "- The scores may be of the same writers as the training pictures, so expect less from a new writer."
        )
    if by_group:
        lines.append("- The scores are of writers held back from the same collection; others may differ more.")
    if "machine_note" in record:
        lines.append(f"- {record['machine_note']}")
    lines += [f"- {note}" for note in record.get("notes", [])]
    return "\n".join(lines)
