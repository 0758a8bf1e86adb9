"""Accuracy is foretold where its truth is known: of harder pictures, with other class shares, with nothing kept."""

import numpy as np
import pytest
import torch
from scipy.stats import nbinom

from fastdigits.answers import Predictions
from fastdigits.answers.inference import agreement_of
from fastdigits.models import ModelDescription
from fastdigits.photos import summary_of
from fastdigits.photos.properties import PROPERTIES
from fastdigits.scores import expectation_of, kept_of_valid, why_untold
from fastdigits.scores.expectation import _negative_binomial_quantile, expected

CLASSES = [str(digit) for digit in range(10)]


def answers(n: int, noise: float, seed: int, label: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, 10) and labels of a model that sees each digit under some noise, as calibrated without it."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(10, size=n) if label is None else np.full(n, label)
    logits = rng.normal(0, noise, (n, 10)) + 5 * np.eye(10)[truth]
    return torch.softmax(torch.from_numpy(3 * logits), 1).numpy(), truth


def description(**about) -> ModelDescription:
    return ModelDescription(architecture="digitnet", classes=CLASSES, size=28, mean=[0.1], std=[0.3], **about)


def kept(n: int = 5000) -> dict:
    return kept_of_valid(*answers(n, noise=1.0, seed=1), np.full(10, n))


def test_what_is_kept_is_a_few_numbers():
    probabilities, truth = np.full((8, 2), 0.5), np.array([0, 0, 0, 0, 0, 0, 1, 1])
    probabilities[:, 0], probabilities[:, 1] = np.linspace(0.6, 0.95, 8), 1 - np.linspace(0.6, 0.95, 8)
    found = kept_of_valid(probabilities, truth, np.array([3, 1]))
    assert (found["pictures"], found["mistakes"], found["shares"]) == (8, 2, [0.75, 0.25])
    assert 0.65 < found["least_sure"] < 0.75  # two of eight answers lie below, as many as mistakes
    assert all(isinstance(value, int | float | list) for value in found.values())


def changed(images: np.ndarray, how: str) -> np.ndarray:
    """The same digits, 0..1, on paper that a model of clean ones finds harder."""
    rng = np.random.default_rng(5)
    match how:
        case "noise":
            return images + rng.normal(0, 0.25, images.shape)
        case "faint":
            return 0.5 * images
        case "smeared":
            return 0.7 * images + 0.3 * np.roll(images, 1, axis=2)
    return images


@pytest.fixture(scope="module")
def real_answers(digit_images) -> tuple[dict, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """What logistic regression keeps of real digits, and its answers to others, clean and changed, with the truth."""
    from sklearn.linear_model import LogisticRegression

    images, labels = digit_images[0] / 255.0, digit_images[1]
    parts = np.random.default_rng(0).permutation(len(images)) % 3
    model = LogisticRegression(C=0.5, max_iter=500).fit(images[parts == 0].reshape(-1, 64), labels[parts == 0])

    def asked(part: int, how: str) -> tuple[np.ndarray, np.ndarray]:
        rows = parts == part
        return model.predict_proba(changed(images[rows], how).reshape(-1, 64)), labels[rows]

    valid = kept_of_valid(*asked(1, "clean"), np.bincount(labels[parts == 0]))
    return valid, {how: asked(2, how) for how in ("clean", "noise", "faint", "smeared")}


@pytest.mark.parametrize("how", ["clean", "noise", "faint", "smeared"])
def test_accuracy_on_real_digits_is_foretold(real_answers, how):
    valid, asked = real_answers
    probabilities, truth = asked[how]
    found, true = expected([valid], probabilities), (probabilities.argmax(1) == truth).mean()
    assert found.interval[0] <= true <= found.interval[1]
    if how != "clean":
        assert found.accuracy < found.valid_accuracy - 0.01  # which would say that nothing changed


def test_the_interval_is_wider_where_less_is_known():
    def width(n_valid: int, n: int) -> float:
        low, high = expected([kept(n_valid)], answers(n, 1.2, seed=2)[0]).interval
        return high - low

    assert width(200, 4000) > 1.3 * width(5000, 4000)
    assert width(5000, 60) > 1.3 * width(5000, 4000)


def test_a_perfect_model_is_not_certain():
    sure = np.full((300, 10), 1e-6)
    sure[np.arange(300), np.arange(300) % 10] = 1
    found = expected([kept_of_valid(sure, np.arange(300) % 10, np.full(10, 30))], sure)
    assert found.valid_accuracy == 1
    assert 0.99 < found.accuracy < 1
    assert found.interval[0] < 0.998


def test_quantiles_are_those_of_scipy():
    for share in (0.025, 0.5, 0.975):
        for shape, mean in ((0.8, 0.4), (5.0, 12.0), (7.3, 900.0)):
            expected_count = nbinom.ppf(share, shape, shape / (shape + mean))
            assert _negative_binomial_quantile(share, shape, mean) == expected_count


def predictions(probabilities: np.ndarray, **about) -> Predictions:
    return Predictions([str(k) for k in range(len(probabilities))], probabilities, CLASSES, **about)


def test_nothing_is_foretold_of_few_pictures_and_by_models_that_kept_nothing():
    probabilities = answers(49, 1.0, seed=3)[0]
    assert expectation_of([description(valid=kept())], predictions(probabilities)) is None
    assert expectation_of([description()], predictions(answers(500, 1.0, seed=3)[0])) is None


def test_one_class_alone_is_doubted_and_not_taken_for_mistakes():
    found = expectation_of([description(valid=kept())], predictions(answers(1000, 1.0, seed=4, label=7)[0]))
    assert found.accuracy > 0.9
    assert found.shares_moved == pytest.approx(0.82, abs=0.03)
    (doubt,) = found.doubts
    assert (
        "of the answers are '7', as are 10% of the training pictures; if the classes are mixed here as there" in doubt
    )
    assert str(found).count("\n") == 1


def looks(**means: float) -> np.ndarray:
    """Measurements of some pictures, with these means."""
    values = np.random.default_rng(0).normal(0, 1, (400, len(PROPERTIES)))
    return values + [means.get(name.replace(" ", "_"), 10.0) for name in PROPERTIES]


def test_one_answer_to_pictures_of_another_kind_counts_as_mistakes():
    model = description(valid=kept(), properties=summary_of(looks()))
    probabilities = answers(1000, 1.0, seed=4, label=7)[0]
    found = expectation_of([model], predictions(probabilities, measured=looks(paper=60.0)))
    assert found.accuracy == pytest.approx(0.13, abs=0.05)
    assert found.interval[0] <= found.accuracy <= found.interval[1]
    assert found.differences == ["on noisier paper (60 against 10 gray levels)"]
    assert "these digits are on noisier paper (60 against 10 gray levels) than those it learnt" in str(found)
    alike = expectation_of([model], predictions(probabilities, measured=looks()))
    assert alike.accuracy > 0.9
    assert alike.differences == []


def together(asked: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean probabilities of several models, and their agreement with it."""
    mean = np.mean(asked, axis=0)
    return mean, agreement_of(asked, mean)


@pytest.mark.parametrize("how", ["clean", "noise"])
def test_accuracy_of_models_together_is_foretold_by_each_ones_own_valid(digit_images, how):
    """Models of a few digits each, so that they gain much by each other."""
    from sklearn.linear_model import LogisticRegression

    images, labels = digit_images[0] / 255.0, digit_images[1]
    rows = np.random.default_rng(1).permutation(len(images))
    parts, valid, asked = np.array_split(rows[:400], 4), rows[400:1000], rows[1000:]
    pictures = changed(images[asked], how).reshape(-1, 64)
    kept, answers = [], []
    for part in parts:
        model = LogisticRegression(C=10, max_iter=2000).fit(images[part].reshape(-1, 64), labels[part])
        of_valid = model.predict_proba(images[valid].reshape(-1, 64))
        kept.append(kept_of_valid(of_valid, labels[valid], np.bincount(labels[part])))
        answers.append(model.predict_proba(pictures))
    mean, agreement = together(answers)
    found, true = expected(kept, mean, agreement), (mean.argmax(1) == labels[asked]).mean()
    each = np.mean([(own.argmax(1) == labels[asked]).mean() for own in answers])
    assert found.interval[0] <= true <= found.interval[1]
    assert abs(found.accuracy - true) < abs(expected(kept[:1], mean).accuracy - true)
    assert true - each > 0.01  # they gain by each other, and it is foretold that they do
    assert found.accuracy > np.mean([expected([one], own).accuracy for one, own in zip(kept, answers)]) + 0.01


def test_one_model_that_kept_nothing_is_enough_to_tell_nothing():
    models, found = [description(valid=kept()), description()], predictions(answers(500, 1.0, seed=3)[0])
    assert expectation_of(models, found) is None
    assert why_untold(models) == "one of the models keeps nothing of valid pictures; train it again, with some"
    assert why_untold(models[1:]) == "the model keeps nothing of valid pictures; train it again, with some"


def test_several_models_need_their_agreement():
    with pytest.raises(ValueError, match="agreement tells of 1 models, 2 gave the answers"):
        expected([kept(), kept()], answers(100, 1.0, seed=3)[0])
