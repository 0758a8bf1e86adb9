"""DigitClassifier: the scikit-learn face of the same training."""

import contextlib
import os
import tempfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from .answers import EXACT_BATCH, Inference, Judge, Predictions
from .folders import held_back, measured, memory_folder, usable_names
from .models import ModelDescription, read_saved
from .photos import GrayScale, Turning, contents_of
from .recipes import find_recipe
from .runs import random_states, restore_random_states
from .scores import Expectation, expectation_of
from .sources import Notes, rows_of_pictures, scale_of_array, turned_notes
from .training import FinetuneArguments, Method, TrainArguments, command_of, enough_steps, fit_run, method_of

LARGEST_SEED, SURE_VOTES = 2**31 - 1, 10**9  # votes about the ground, of a training row against one to predict


class DigitClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of square gray pictures with scikit-learn's interface, trained as `train` and `finetune` do.

    By default all rows of `fit` are trained on and none is held back, so a recipe's early stopping and its choice of
    the best epoch are switched off: all epochs are trained (of dcnn-prelu a hundred), the last one's weights kept.

    Pictures are rows of pixels (n, pixels) or (n, side, side). Which numbers are black and white is told as for tables,
    whatever their type: 0..1, -1..1, 0..255 and other usual scales; of other ranges the smallest and largest value of
    the training rows become black and white. Dark digits on a light ground are turned. No scaling, reshaping or one-hot
    encoding is needed before. Rows whose length is no square are filled up with zeros.

    Parameters
    ----------
    arch : str
        A recipe of `train`, with its network's settings if wished, or what `finetune` accepts.
    epochs : int, optional
        By default those of the recipe, or as many as make 120 steps.
    lr : float, optional
        Peak learning rate.
    batch_size : int, optional
        By default the recipe's, of few rows an eighth of them, at least 16; of what `finetune` accepts 64, or 32.
    optimizer, schedule, scaling : str, optional
        As for `train` and `finetune`.
    size : int, optional
        Height and width in pixels to which pictures are brought for the network.
    augment : str, optional
        none, light, medium, strong, or a recipe's.
    label_smoothing, ema : float, optional
    weights : str, optional
        What to start from, as for `train` and `finetune`.
    ground : {'auto', 'dark', 'light'}
        Of the pictures; told from each by default. Those on a light ground are turned.
    class_weight : 'balanced', dict of label to float, or None
        How often each class is shown in training, beside what `sample_weight` says; 'balanced': all equally often.
    reject, styles : bool
        Learn from drawn pictures, too: from what shows no single digit, and from digits 0 to 9 in rare styles.
    validation_fraction : float
        Share of the rows of each class that are held back; they calibrate the confidence, for `expected_score` too.
    precision : {'auto', 'fp32', 'bf16', 'fp16'}
    random_state : int, RandomState or None
        Same seed, same machine: same numbers, on a CPU; on a GPU nearly the same.
    verbose : bool
        Print a line an epoch.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
    n_features_in_ : int
        Pixels.
    model_ : SavedModel
        What `fastdigits` saves and predicts with.
    columns_ : list of int
        Where each of `classes_` stands among the model's own.
    gray_range_ : (float, float)
        The numbers that are black and white.
    notes_ : list of str
        What was noticed of the training rows.
    history_ : list of dict
        A row an epoch.
    n_iter_ : int
        Epochs.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastdigits import DigitClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> DigitClassifier("dnn-he", random_state=0).fit(X[:900], y[:900]).score(X[900:], y[900:]) > 0.9
    True
    """

    # what a classifier of pictures cannot honestly satisfy: name of scikit-learn's check, and why
    expected_failed_checks = {  # noqa: RUF012 (read, never changed)
        "check_sample_weight_equivalence_on_dense_data": "a row of weight 2 is shown about twice, at other times than "
        "two rows would be: training is by chance, so that the numbers differ",
    }

    def __init__(
        self,
        arch="digitnet",
        *,
        epochs=None,
        lr=None,
        batch_size=None,
        optimizer=None,
        schedule=None,
        size=None,
        augment=None,
        scaling=None,
        label_smoothing=None,
        ema=None,
        weights=None,
        ground="auto",
        class_weight=None,
        reject=False,
        styles=False,
        validation_fraction=0.0,
        precision="auto",
        random_state=None,
        verbose=False,
    ):
        self.arch = arch
        self.epochs = epochs
        self.lr = lr
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.schedule = schedule
        self.size = size
        self.augment = augment
        self.scaling = scaling
        self.label_smoothing = label_smoothing
        self.ema = ema
        self.weights = weights
        self.ground = ground
        self.class_weight = class_weight
        self.reject = reject
        self.styles = styles
        self.validation_fraction = validation_fraction
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.random_state is None
        tags.classifier_tags.poor_score = False
        return tags

    def fit(self, X, y, sample_weight=None):
        """Train on pictures.

        Parameters
        ----------
        X : array-like, shape (n, pixels) or (n, height, width)
        y : array-like, shape (n,)
            Labels.
        sample_weight : array-like of float, shape (n,), optional
            How often each row is shown beside the others; a row of weight 0 never is.

        Raises
        ------
        ValueError
            When `X` or `y` are no pictures and labels of two classes or more.
        InputError
            When an option makes no sense.
        """
        X, y = validate_data(self, rows_of_pictures(X), y, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"DigitClassifier needs two classes or more, the data have one class, {self.classes_[0]}")
        self.notes_ = Notes()
        scale = scale_of_array(X, "X", self.notes_)
        self.gray_range_ = (scale.black, scale.white)
        self._turning = Turning(self.ground)
        images = self._turning.turn(self._images(X))
        self.notes_.add(*turned_notes("X", self._turning, "ground='dark'"))
        if self.verbose:
            self.notes_.say()
        names = usable_names([str(label) for label in self.classes_])
        weights = None
        if sample_weight is not None or self.class_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
            weights = weights * compute_sample_weight(self.class_weight, y)
        method = self._method(len(images))
        valid = held_back(numbers, self.validation_fraction, method.arguments.seed)
        folder = memory_folder(images, [names[number] for number in numbers], weights, valid)
        with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
            # training seeds the generators of the whole process, which are the caller's
            stack.callback(restore_random_states, random_states([]), [])
            if not self.verbose:
                stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
            result = fit_run(method.training(folder), Path(place, "run"), resume=False, overwrite=False)
            self.model_ = read_saved(result.run.path)
            self.history_ = result.run.history()
        self.columns_ = [self.model_.classes.index(name) for name in names]
        self.n_iter_ = len(self.history_)
        return self

    def predict(self, X):
        """The label of each picture, (n,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(1)]

    def predict_proba(self, X):
        """Probabilities (n, classes), rows sum to 1, in the order of `classes_`."""
        check_is_fitted(self, "model_")
        return self._probabilities(self._shares(self._pictures(X)[0]))

    def expected_score(self, X) -> Expectation:
        """What accuracy to expect on 50 pictures or more; ValueError where `validation_fraction` held nothing back."""
        answers = self.answers(X)
        found = expectation_of([self._described()], answers)
        if found is None:
            here = f"{len(X)} pictures and validation_fraction={self.validation_fraction:g}"
            raise ValueError(
                f"expected_score needs 50 pictures and a fit with validation_fraction=0.15; here are {here}"
            )
        return found

    def _described(self) -> ModelDescription:
        """The model, with its classes in the order of `classes_` and by their labels."""
        kept = self.model_.valid
        valid = kept and kept | {"shares": [kept["shares"][column] for column in self.columns_]}
        return replace(self.model_, classes=[str(label) for label in self.classes_], valid=valid)

    def _shares(self, images: np.ndarray) -> np.ndarray:
        """What `Inference.shares` says of pictures uint8 (n, h, h): (n, outputs)."""
        inference, parts = Inference([self.model_], exact=True), []
        for start in range(0, len(images), EXACT_BATCH):
            part = images[start : start + EXACT_BATCH]
            # batches of one size: each picture's digits are then the same in whatever company it comes
            full = np.concatenate([part, np.zeros((EXACT_BATCH - len(part), *part.shape[1:]), np.uint8)])
            parts.append(inference.shares(full)[: len(part)])
        self.model_.to("cpu")  # else a machine without a GPU could not load a pickle of this
        return np.concatenate(parts)

    def _probabilities(self, shares: np.ndarray) -> np.ndarray:
        """Of the classes in the order of `classes_`: (n, classes)."""
        probabilities = shares.astype(np.float64)[:, self.columns_]
        return probabilities / probabilities.sum(1, keepdims=True)

    def answers(self, X):
        """Labels, confidences and verdicts (sure, doubtful, blank, several, other) as `predict` gives them.

        Returns
        -------
        Predictions
            Ids are row numbers; `table()` makes a DataFrame.
        """
        check_is_fitted(self, "model_")
        images, notes = self._pictures(X)
        shares, judge = self._shares(images), Judge.of([self.model_])
        return Predictions(
            [str(row) for row in range(len(images))],
            self._probabilities(shares),
            [str(label) for label in self.classes_],
            contents=judge.contents(shares, contents_of(images)),
            outliers=judge.outliers(shares),
            least_sure=judge.least_sure,
            own_ids=False,
            measured=measured(images),
            notes=notes,
        )

    def _pictures(self, X) -> tuple[np.ndarray, Notes]:
        """What is predicted from, uint8 (n, h, h), what is not clear turned as most training rows were; and notes."""
        images = self._images(validate_data(self, rows_of_pictures(X), reset=False))
        turning = Turning(self.ground)
        turning.light, turning.dark = (SURE_VOTES * votes for votes in (self._turning.light, self._turning.dark))
        images = turning.turn(images)
        return images, Notes(turned_notes("X", turning, "ground='dark'"))

    def _images(self, rows: np.ndarray) -> np.ndarray:
        """Rows of pixels (n, pixels) as uint8 pictures (n, h, h)."""
        gray = GrayScale(*self.gray_range_).to_uint8(np.asarray(rows))
        side = int(np.ceil(gray.shape[1] ** 0.5))
        filled = np.pad(gray, ((0, 0), (0, side**2 - gray.shape[1])))
        return filled.reshape(-1, side, side)

    def _method(self, rows: int) -> Method:
        """The way of training, with the arguments that its command would be called with."""
        arguments = TrainArguments if command_of(self.arch) == TrainArguments.command else FinetuneArguments
        names = {field.name for field in fields(arguments)}
        own = self.get_params(deep=False).items()
        given = {name: value for name, value in own if name in names and name != "arch" and value is not None}
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            generator = np.random.mtrand._rand if seed is None else seed
            seed = int(generator.randint(LARGEST_SEED))
        if arguments is TrainArguments:
            given = enough_steps(find_recipe(self.arch), rows, given.get("batch_size")) | given
        return method_of(self.arch, Path("arrays"), lasting=False, seed=seed, **given)
