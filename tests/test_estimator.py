"""DigitClassifier among scikit-learn's tools."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from sklearn.utils.estimator_checks import check_estimator

from fastdigits import DigitClassifier, InputError
from fastdigits.runs import Run
from fastdigits.training.callbacks.epoch_end import EpochEnd

QUICK = {"arch": "dnn-he", "epochs": 6, "lr": 3e-3, "random_state": 0}


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """400 of scikit-learn's digits, 0..16."""
    X, y = load_digits(return_X_y=True)
    return X[:400], y[:400]


@pytest.fixture(scope="module")
def fitted(digits) -> DigitClassifier:
    return DigitClassifier(**QUICK).fit(*digits)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # scikit-learn's suite sets filters of its own, and provokes warnings
def test_all_of_scikit_learns_checks():
    """One check is expected to fail, since training goes by chance; the dictionary names it and the reason."""
    estimator = DigitClassifier(epochs=10, augment="none", random_state=0)
    assert list(DigitClassifier.expected_failed_checks) == ["check_sample_weight_equivalence_on_dense_data"]
    results = check_estimator(
        estimator, expected_failed_checks=DigitClassifier.expected_failed_checks, on_skip=None, on_fail="raise"
    )
    by_status = {
        status: [r["check_name"] for r in results if r["status"] == status] for status in ("passed", "skipped")
    }
    assert len(by_status["passed"]) > 50
    assert set(by_status["skipped"]) <= {"check_array_api_input"}  # is about arrays of other libraries


def test_scores_digits_that_it_never_saw(fitted):
    X, y = load_digits(return_X_y=True)
    assert fitted.score(X[400:], y[400:]) > 0.85
    probabilities = fitted.predict_proba(X[400:500])
    assert probabilities.shape == (100, 10)
    assert np.allclose(probabilities.sum(1), 1, atol=1e-12)
    assert (fitted.classes_[probabilities.argmax(1)] == fitted.predict(X[400:500])).all()


def test_pictures_and_rows_are_the_same(fitted, digits):
    X, y = digits
    pictures = DigitClassifier(**QUICK).fit(X.reshape(-1, 8, 8), y)
    assert (pictures.predict_proba(X.reshape(-1, 8, 8)) == fitted.predict_proba(X)).all()
    assert pictures.n_features_in_ == 64


@pytest.mark.parametrize(
    "scaled", [lambda X: X / 16, lambda X: np.rint(X * 255 / 16).astype(np.uint8), lambda X: X - 8]
)
def test_range_of_the_numbers_does_not_matter(fitted, digits, scaled):
    """0..16, 0..1, gray levels and centred numbers are the same pictures, but for rounding to 256 levels."""
    X, y = digits
    other = DigitClassifier(**QUICK).fit(scaled(X), y)
    assert np.abs(other.predict_proba(scaled(X)) - fitted.predict_proba(X)).max() < 0.05
    assert (other.predict(scaled(X)) == fitted.predict(X)).mean() > 0.99


def test_gray_levels_are_not_stretched():
    """A dark picture of whole numbers up to 100 stays dark: 255 is white."""
    X = np.arange(128).reshape(2, 64) % 100
    assert DigitClassifier(epochs=1, arch="dnn-he").fit(X, [0, 1]).gray_range_ == (0, 255)


@pytest.mark.parametrize("kind", [int, np.uint8, float, bool])
def test_black_and_white_pictures(digits, kind):
    """Zeros and ones are black and white, whatever their type, as `convert` reads them."""
    X = (digits[0] > 7).astype(kind)
    assert DigitClassifier(**QUICK).fit(X, digits[1]).gray_range_ == (0, 1)


def test_pictures_that_are_no_squares(digits):
    with pytest.raises(ValueError, match="pictures are square; these are 4 pixels high and 16 wide: pad them"):
        DigitClassifier(**QUICK).fit(digits[0].reshape(-1, 4, 16), digits[1])


def test_the_callers_random_numbers_go_on(digits):
    """Training seeds the generators of the process; afterwards they are as they were."""
    np.random.seed(3)
    expected = np.random.rand(3).tolist()
    np.random.seed(3)
    DigitClassifier(**QUICK).fit(*digits)
    assert np.random.rand(3).tolist() == expected


def test_seed_decides(fitted, digits):
    again, other = DigitClassifier(**QUICK).fit(*digits), DigitClassifier(**{**QUICK, "random_state": 1}).fit(*digits)
    assert (again.predict_proba(digits[0]) == fitted.predict_proba(digits[0])).all()
    assert (other.predict_proba(digits[0]) != fitted.predict_proba(digits[0])).any()


def test_labels_of_any_kind(digits):
    X, y = digits
    names = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])[y]
    fitted = DigitClassifier(**QUICK).fit(X, names)
    assert list(fitted.classes_) == sorted(set(names))
    assert (fitted.predict(X) == names).mean() > 0.9


def test_it_pickles_and_clones(fitted, digits, tmp_path):
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.predict_proba(digits[0]) == fitted.predict_proba(digits[0])).all()
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "model_")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(fitted))
    np.save(tmp_path / "x.npy", digits[0][:5])
    code = (
        "import pickle,sys,numpy as np; print(pickle.load(open('model.pkl','rb')).predict(np.load('x.npy')).tolist())"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(fitted.predict(digits[0][:5]).tolist())


def test_in_a_pipeline_and_searches(digits):
    """What the notebooks build of scaling, reshaping and a wrapped network."""
    X, y = digits
    pipeline = make_pipeline(
        MinMaxScaler(), FunctionTransformer(lambda X: X.reshape(-1, 8, 8)), DigitClassifier(**QUICK)
    )
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.8
    grid = GridSearchCV(DigitClassifier(**QUICK), {"lr": [1e-8, 3e-3]}, cv=2).fit(X, y)
    assert grid.best_params_ == {"lr": 3e-3}
    assert grid.best_estimator_.score(X, y) > 0.9
    assert GridSearchCV(DigitClassifier(**QUICK), {"epochs": np.arange(1, 3)}, cv=2).fit(X, y).best_params_
    tried = {"arch": ["dnn-tuned:neurons=20", "dnn-tuned:neurons=100"], "lr": [1e-3]}
    search = RandomizedSearchCV(DigitClassifier(epochs=2, random_state=0), tried, n_iter=2, cv=2, random_state=0)
    assert search.fit(X, y).best_params_["arch"].startswith("dnn-tuned")


def test_finetunes_from_a_shipped_model(digits):
    X, y = load_digits(return_X_y=True)
    transferred = DigitClassifier("digitnet-mnist", epochs=4, random_state=0).fit(X[:400], y[:400])
    assert transferred.model_.architecture == "digitnet"
    assert transferred.score(X[400:900], y[400:900]) > 0.93


def test_order_of_the_classes(digits):
    """A model sorts 2 before 10 whatever the labels' type; texts are sorted as texts."""
    X, y = digits
    labels = np.array(["10", "2", "x y"])[y[y < 3]]
    fitted = DigitClassifier(**QUICK).fit(X[y < 3], labels)
    assert list(fitted.classes_) == ["10", "2", "x y"]
    assert (fitted.predict(X[y < 3]) == labels).mean() > 0.95
    numbers = np.array([10, 2, 30])[y[y < 3]].astype(str)
    fitted = DigitClassifier(**QUICK).fit(X[y < 3], numbers)
    assert fitted.columns_ == [1, 0, 2]
    assert (fitted.predict(X[y < 3]) == numbers).mean() > 0.95


def test_history_and_silence(digits, capsys):
    quiet = DigitClassifier(**QUICK).fit(*digits)
    assert capsys.readouterr().out == ""
    assert (quiet.n_iter_, len(quiet.history_)) == (6, 6)
    # what the recipe would judge by valid pictures is said, and swallowed, too
    DigitClassifier("mlp-300-100", epochs=1).fit(*digits)
    assert capsys.readouterr().out == ""
    DigitClassifier(**QUICK, verbose=True).fit(*digits)
    assert "epoch   6" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"arch": "nothing"}, InputError, "'nothing' is no known architecture"),
        ({"epochs": 0}, InputError, "--epochs 0 makes no sense"),
        ({"arch": "resnet18", "scaling": "centre"}, InputError, "--scaling comes with the weights; leave it out, or"),
    ],
)
def test_wrong_options(digits, options, error, message):
    with pytest.raises(error, match=message):
        DigitClassifier(**options).fit(*digits)


def test_an_architecture_takes_optimiser_and_schedule(digits):
    options = {"weights": "none", "epochs": 1, "random_state": 0, "optimizer": "adamw", "schedule": "plateau"}
    assert len(DigitClassifier("test_resnet", **options).fit(*digits).history_) == 1


def test_one_class_is_refused(digits):
    with pytest.raises(ValueError, match="needs two classes or more, the data have one class, 1"):
        DigitClassifier(**QUICK).fit(digits[0][:5], np.ones(5, int))


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.uint8])
def test_numbers_count_and_not_their_type(fitted, digits, dtype):
    X, y = digits
    other = DigitClassifier(**QUICK).fit(X.astype(dtype), y)
    assert other.gray_range_ == fitted.gray_range_ == (0, 16)
    assert (other.predict_proba(X[:50].astype(dtype)) == fitted.predict_proba(X[:50])).all()
    assert other.notes_ == ["X: its numbers 0..16 were read as black..white"]


def test_dark_digits_are_turned(fitted, digits):
    X, y = digits
    assert (fitted.predict(16 - X[:50]) == fitted.predict(X[:50])).mean() > 0.95
    dark = DigitClassifier(**QUICK).fit(16 - X, y)
    assert "were turned to light on dark; where that is wrong, pass ground='dark'" in dark.notes_[1]
    assert dark.score(X[:100], y[:100]) > 0.9
    kept = DigitClassifier(**QUICK, ground="dark").fit(16 - X, y)
    assert len(kept.notes_) == 1
    assert kept.score(16 - X[:100], y[:100]) > 0.9  # learnt as they are, and asked as they are


def test_answers_have_verdicts(fitted, digits):
    found = fitted.answers(np.concatenate([digits[0][:20], np.zeros((1, 64))]))
    assert found.labels[:20] == fitted.predict(digits[0][:20]).astype(str).tolist()
    assert found.verdicts[20] == "blank"
    assert found.table().columns.tolist() == ["id", "label", "confidence", "verdict"]


def test_weights_of_classes_and_rows(digits):
    X, y = digits
    few = np.concatenate([np.flatnonzero(y == 3)[:40], np.flatnonzero(y == 8)[:3]])
    options = {**QUICK, "epochs": 2}
    plain = DigitClassifier(**options).fit(X[few], y[few])
    balanced = DigitClassifier(**options, class_weight="balanced").fit(X[few], y[few])
    rare = X[y == 8]
    assert balanced.predict_proba(rare)[:, 1].mean() > plain.predict_proba(rare)[:, 1].mean()
    by_row = DigitClassifier(**options).fit(X[few], y[few], sample_weight=np.where(y[few] == 8, 40, 3) / 3)
    assert (by_row.predict_proba(rare) == balanced.predict_proba(rare)).all()
    equal = DigitClassifier(**options).fit(X[few], y[few], sample_weight=np.full(len(few), 7.0))
    assert (equal.predict_proba(rare) == plain.predict_proba(rare)).all()
    wrong = y[few].copy()
    wrong[:20] = 8  # never shown
    never = DigitClassifier(**options).fit(X[few], wrong, sample_weight=np.repeat([0.0, 1.0], [20, 23]))
    assert never.predict(X[y == 3]).tolist().count(3) > 0.9 * (y == 3).sum()
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        DigitClassifier(**options).fit(X[few], y[few], sample_weight=-np.ones(len(few)))


def test_rows_of_which_none_counts(digits):
    with pytest.raises(ValueError, match="Sample weights must contain at least one non-zero number"):
        DigitClassifier(**QUICK).fit(digits[0][:20], digits[1][:20], sample_weight=np.zeros(20))


def test_expected_score(digit_images):
    images, labels = digit_images
    options = {"arch": "dnn-he", "epochs": 15, "random_state": 0}
    model = DigitClassifier(**options, validation_fraction=0.2).fit(images[:800], labels[:800])
    found = model.expected_score(images[800:1400])
    low, high = found.interval
    assert low <= model.score(images[800:1400], labels[800:1400]) <= high
    assert found.valid_pictures == 160
    told = (
        "expected_score needs 50 pictures and a fit with validation_fraction=0.15; here are {} pictures and "
        "validation_fraction={}"
    )
    with pytest.raises(ValueError, match=told.format(49, 0.2)):
        model.expected_score(images[:49])
    with pytest.raises(ValueError, match=told.format(60, 0)):
        DigitClassifier(**options | {"epochs": 1}).fit(images[:100], labels[:100]).expected_score(images[:60])
    with pytest.raises(ValueError, match=r"validation_fraction=1.5 makes no sense; accepted are 0 or more and below 1"):
        DigitClassifier(**options, validation_fraction=1.5).fit(images[:100], labels[:100])
    with pytest.raises(ValueError, match=r"validation_fraction=0.2 of 12 rows cannot hold all 10 classes on both"):
        DigitClassifier(**options, validation_fraction=0.2).fit(images[:12], labels[:12])


def test_expected_score_knows_classes_by_their_labels(digit_images):
    images, labels = digit_images
    names = np.array([str(label + 1) for label in labels])  # "10" sorts before "2"
    kept = (labels != 4) | (np.arange(len(labels)) % 5 == 0)  # fewer fives
    images, names = images[kept], names[kept]
    model = DigitClassifier("dnn-he", epochs=15, random_state=0, validation_fraction=0.2).fit(images[:800], names[:800])
    assert model.classes_.tolist() != model.model_.classes
    found = model.expected_score(images[800:])
    assert found.doubts == []
    assert found.shares_moved < 0.05
    only = model.expected_score(images[800:][names[800:] == "10"])
    assert only.doubts[0].partition("of the answers are ")[2].startswith("'10', as are 1")


def test_few_checkpoints_are_written_and_the_same_is_learnt(digits, monkeypatch):
    """Nobody goes on from a fit in a temporary folder; the weights are those of training with all of them."""
    X, y = digits[0][:60], digits[1][:60]
    written = []
    write = Run.write_checkpoint
    monkeypatch.setattr(Run, "write_checkpoint", lambda self, *rest: (written.append(1), write(self, *rest))[1])
    options = {**QUICK, "epochs": 24}
    few = DigitClassifier(**options).fit(X, y).predict_proba(X)
    assert len(written) == 4  # after epochs 1, 11, 21 and the last
    monkeypatch.setattr("fastdigits.training.stages.SELDOM", 1)
    assert (DigitClassifier(**options).fit(X, y).predict_proba(X) == few).all()
    assert len(written) == 4 + 24


def test_of_a_fit_that_diverges_the_last_finished_epoch_is_kept(digits, monkeypatch, capsys):
    """Epoch 5, which no checkpoint holds; as where each epoch has one."""
    X, y = digits[0][:60], digits[1][:60]
    row_of = EpochEnd._row

    def row(self):
        row = row_of(self)
        return row | {"train_loss": float("nan")} if row["epoch"] == 6 else row

    monkeypatch.setattr(EpochEnd, "_row", row)
    options = {**QUICK, "epochs": 12}
    model = DigitClassifier(**options).fit(X, y)
    assert model.n_iter_ == 5
    monkeypatch.setattr("fastdigits.training.stages.SELDOM", 1)
    assert (DigitClassifier(**options).fit(X, y).predict_proba(X) == model.predict_proba(X)).all()


def test_rows_of_a_rare_class_are_held_back_too(digits):
    X, _ = digits
    rare = np.where(np.arange(100) < 2, "b", "a")
    model = DigitClassifier(**QUICK | {"epochs": 1}, validation_fraction=0.15).fit(X[:100], rare)
    assert sorted(model.model_.classes) == ["a", "b"]
    one = np.where(np.arange(100) < 1, "b", "a")
    with pytest.raises(ValueError, match=r"validation_fraction=0.15 of 100 rows cannot hold all 2 classes on both"):
        DigitClassifier(**QUICK, validation_fraction=0.15).fit(X[:100], one)


def test_nothing_is_answered_before_it_is_fitted(digits):
    for ask in ("answers", "expected_score", "predict"):
        with pytest.raises(NotFittedError):
            getattr(DigitClassifier(), ask)(digits[0][:60])
