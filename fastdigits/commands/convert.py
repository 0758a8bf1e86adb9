"""convert(): a pixel source -> an image folder."""

from dataclasses import replace
from pathlib import Path

from ..folders import (
    MANIFEST,
    PSEUDO_CONFIDENCE,
    TEST,
    TRAIN,
    Conversion,
    ImageFolder,
    KnownSplit,
    Relabelled,
    ShardDone,
    SplitMethod,
    SplitRule,
    is_image_folder,
    read_folder,
    read_pseudo_labels,
    read_shard,
    relabelled_folder,
    relabelled_table,
)
from ..photos import Ground
from ..recipes import find_recipe
from ..sources import (
    LabelLog,
    Notes,
    PixelSource,
    is_label_log,
    open_source,
    open_tables,
    refuse_other_size,
)
from ..system import InputError, check_output


def convert(
    source: str | Path,
    out: Path,
    *,
    valid: float | None = None,
    split: SplitMethod | None = None,
    seed: int | None = None,
    recipe: str | None = None,
    groups: Path | None = None,
    labels: Path | None = None,
    label_column: str | None = None,
    normalise: bool = False,
    ground: Ground = "auto",
    test: str | Path | None = None,
    pseudo_labels: Path | None = None,
    pseudo_confidence: float = PSEUDO_CONFIDENCE,
    look_alikes: bool = False,
    also: list[str] | None = None,
    shard: str | None = None,
    strict: bool = False,
    overwrite: bool = False,
) -> ImageFolder | ShardDone:
    """Make an image folder from a table of pixels.

    Writes 3-channel pictures `train/<label>/<id>.png`, `valid/<label>/<id>.png`, `test/<id>.png` and, last,
    `manifest.json`. A table without labels becomes `test/`. Memory does not grow with the table's pixels.

    Parameters
    ----------
    source
        csv (plain, .gz, .zip; a competition's zip; archive.zip/member.csv), parquet, npz, idx files,
        sklearn:digits, torchvision:mnist|kmnist|usps|qmnist|emnist-digits, or a folder of pictures whose subfolders
        are labels. 'parts/digits*.csv', in quotes, stands for all files that fit.
    out
        The folder to make.
    valid
        Share of the labelled rows kept for validation, or their number; 0.15 by default; 0: all rows train.
    split
        stratified (the default): every class in proportion; random: any rows; first: the table's first rows are the
        validation set.
    seed
        Random seed of the split; 5 by default.
    recipe
        A published recipe (see `fastdigits models`). Its split is used for those of the three options above that you
        leave out.
    groups
        A csv with an id column and one group column (such as the writer): no group on both sides of the split.
    labels
        A csv with a file column and a label column, for a folder of pictures without subfolders; or the labels.csv of
        `label`, for the source that was labelled: pictures without a label and those that show no digit are left out,
        wrong labels are replaced, and of an image folder the split is kept.
    label_column
        The column of the labels, where it is called neither label nor one of the usual names (labels, class, target,
        digit, character, y).
    normalise
        Cut the digit out of each picture, photo or scan of a folder, dark on light or light on dark, and bring it to
        the form of MNIST's pictures: white on black, 20 pixels in 28, centred.
    ground
        Of the pictures: dark (light digits on dark, as MNIST's), light (dark digits on light), or auto: told from each
        picture. Pictures on a light ground are turned to light digits on dark.
    test
        A second source whose pictures become test/.
    pseudo_labels
        Predictions for the test pictures, as predict writes them. Test pictures with a sure enough prediction become
        training rows too.
    pseudo_confidence
        The lowest confidence that is sure enough, 0..1.
    look_alikes
        Makes a better model where there are fewer than ten labels of a class. Each label passes on to unlabelled
        pictures that look alike, up to 2,000 in all; these become training rows too, and a few of their labels are
        wrong. The unlabelled pictures are the test table's (then there may be 5,000 labels) or, with the labels.csv of
        `label`, those without a label there, which become test/. In that case groups must also list the unlabelled
        pictures. All pictures are held in memory. Not with pseudo_labels or shard.
    also
        More tables of the same kind, whose rows follow.
    shard
        2/4: do only the second of four parts of the work, for instance on the second of four machines with one file
        system. The one that ends last puts all together; the folder is the same as without shards.
    strict
        End with an error, and make nothing, when there is anything to notice: pictures that were turned, scaled, blank
        or left out, columns that were guessed.
    overwrite
        Replace `out` if it exists.

    Returns
    -------
    ImageFolder, or of a shard for which others are missing ShardDone

    Raises
    ------
    InputError
        When anything in the source, the groups or the options is wrong; nothing is left behind.
    """
    out, groups = Path(out), Path(groups) if groups else None
    rule = find_recipe(recipe).split if recipe else SplitRule()
    given = {"method": split, "valid": valid, "seed": seed}
    rule = replace(rule, **{name: value for name, value in given.items() if value is not None})
    rule.check(has_groups=groups is not None)
    part = read_shard(shard)
    check_output(out, overwrite, MANIFEST)
    labels = Path(labels) if labels else None
    if labels and not labels.is_file():
        raise InputError(
            f"{labels} does not exist; --labels takes the labels.csv of `label`, or a csv with a file column and a "
            "label column"
        )
    if look_alikes:
        _refuse_beside_look_alikes({"--pseudo-labels": pseudo_labels, "--shard": shard})
    relabelled = None
    if labels and is_label_log(labels):
        if Path(source).is_dir() and is_image_folder(Path(source)):
            folder = read_folder(source, normalise)
            relabelled, normalise = relabelled_folder(folder, labels, ground, look_alikes), folder.is_normalised
        else:
            relabelled = relabelled_table(
                _open(source, also, None, normalise, label_column, ground), labels, look_alikes
            )
    table = relabelled.table if relabelled else _open(source, also, labels, normalise, label_column, ground)
    known = relabelled.split if relabelled else None
    tables = _tables(table, test, normalise, ground)
    if known:
        options = {"--valid": valid, "--split": split, "--seed": seed, "--groups": groups, "--recipe": recipe}
        _refuse_other_options(source, options | {"--also": also, "--label-column": label_column, "--test": test})
    if groups and TRAIN not in tables:
        raise InputError(f"{tables[TEST].name} has no labels, so it is not split and --groups has no use; leave it out")
    label_of = read_pseudo_labels(Path(pseudo_labels), pseudo_confidence) if pseudo_labels else {}
    if look_alikes:
        label_of, known = _passed_on(relabelled, tables, labels, test, rule, groups)
    if label_of and len(tables) < 2:
        raise InputError("--pseudo-labels needs labelled rows and a test table; pass --test")
    conversion = Conversion(tables, rule, groups, normalise, label_of, ground, strict, known)
    if part and known:
        raise InputError(f"{source} is an image folder, which is relabelled in one piece; leave out --shard")
    if part:
        waits = conversion.write_part(part, out, overwrite)
        if waits:
            return waits
    else:
        conversion.write(out)
    folder = read_folder(out)
    Notes(folder.manifest["notes"]).say()
    return folder


def _open(
    source: str | Path,
    also: list[str] | None,
    labels: Path | None,
    normalise: bool,
    label_column: str | None,
    ground: Ground,
) -> PixelSource:
    if labels or normalise:
        if also:
            raise InputError("--also is for tables; put all pictures into one folder")
        return open_source(source, labels, normalise, label_column, ground)
    return open_tables([source, *(also or [])], label_column=label_column, ground=ground)


def _refuse_beside_look_alikes(given: dict) -> None:
    """InputError for an option that goes against it."""
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise InputError(f"--look-alikes goes without {named[0]}; leave out one of them")


def _passed_on(
    relabelled: Relabelled | None,
    tables: dict[str, PixelSource],
    labels: Path | None,
    test: str | Path | None,
    rule: SplitRule,
    groups: Path | None,
) -> tuple[dict[str, str], KnownSplit]:
    """The labels that pictures without one get from look-alikes, by id, and the split of those that have one."""
    from ..labelling import passed_on, passed_on_to_test

    if relabelled is None:
        if set(tables) != {TRAIN, TEST}:
            raise InputError(
                "--look-alikes passes labels on to pictures without one: pass them with --test, or the labels.csv of "
                "`label` with --labels"
            )
        return passed_on_to_test(tables[TRAIN], tables[TEST], rule, groups)
    _refuse_beside_look_alikes({"--test": test})
    return passed_on(relabelled.before, LabelLog(labels), rule, groups)


def _refuse_other_options(source: str | Path, given: dict) -> None:
    """InputError for an option that would change more of an image folder than its labels."""
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise InputError(f"{source} is an image folder, of which only the labels are changed; leave out {named[0]}")


def _tables(table: PixelSource, test: str | Path | None, normalise: bool, ground: Ground) -> dict[str, PixelSource]:
    """What becomes train/ (to be split) and what becomes test/."""
    if not table.has_labels:
        if test is not None:
            raise InputError(f"{table.name} has no labels and so is a test table itself; leave out --test")
        if table.test:
            table.notes.add(
                f"{table.name} has no labels and so became test pictures itself; {table.test.name} was left out"
            )
        return {TEST: table}
    test_table = table.test if test is None else _open(test, None, None, normalise, None, ground)
    if test_table is None:
        return {TRAIN: table}
    refuse_other_size(table, test_table)
    return {TRAIN: table, TEST: test_table}
