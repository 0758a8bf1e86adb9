"""Drawn digits and what is no digit: what their strokes are, how they look, and that a seed draws the same again."""

import numpy as np
import pytest

from fastdigits.photos import SEVERAL, contents_of
from fastdigits.photos.digit import has_form
from fastdigits.styles import KINDS, digit_photo, drawn_digits, drawn_others, no_digit_photo, side_by_side, styles_of
from fastdigits.styles.camera import photograph
from fastdigits.styles.digits import OFTEN, STYLES
from fastdigits.styles.made_up import FINE, WIDEST, _outline, made_up
from fastdigits.styles.no_digit import PRINTED_LETTERS, _wild_line
from fastdigits.styles.pens import Pen, ink_of_lines
from fastdigits.styles.signs import LETTERS, LOOK_ALIKES, PRINTED_SCRIPTS
from fastdigits.styles.strokes import Hand, Way

STEADY = Hand(jitter=0, aspect=1, slant=0, turn=0, bend=np.zeros((2, 3)), rounding=0, hooks=0)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_way_goes_through_its_points_and_turns_at_its_corners():
    (line,) = STEADY.write(Way("0,0 6,0! 2,10"), rng())
    for point in ((0, 0), (0.6, 0), (0.2, 1)):
        assert np.abs(line - point).sum(1).min() < 1e-9
    corner = int(np.abs(line - [0.6, 0]).sum(1).argmin())
    assert np.ptp(line[: corner + 1, 1]) < 1e-9  # straight up to the corner
    smooth = STEADY.write(Way("0,0 6,0 2,10"), rng())[0]
    assert smooth[:, 0].max() > 0.601  # where a curve swings out


def test_a_way_is_anything_between_its_extremes():
    way = Way("0,0 0,10 | 1,1 2,2", "4,0 4,10 | 1,1 2,4")
    (upright, _), (stroke, _) = way.between(0.5)
    assert upright.tolist() == [[0.2, 0], [0.2, 1]]
    assert stroke == pytest.approx(np.array([[0.1, 0.1], [0.2, 0.3]]))
    with pytest.raises(ValueError, match="zip"):
        Way("0,0 1,1 | 2,2 3,3", "0,0 1,1").between(0.5)


def test_every_way_can_be_written():
    for styles in STYLES.values():
        for ways in styles.values():
            for way in ways:
                lines = STEADY.write(way, rng())
                assert np.isfinite(np.vstack(lines)).all()
                assert np.ptp(np.vstack(lines)[:, 1]) > 0.8
    for way in LETTERS.values():
        assert np.isfinite(np.vstack(STEADY.write(way, rng()))).all()


def test_a_hand_slants_turns_and_stretches():
    upright = Way("3,0 3,10")
    (straight,) = STEADY.write(upright, rng())
    assert np.ptp(straight[:, 0]) < 1e-9
    slanted = Hand(0, 1, 0.5, 0, np.zeros((2, 3)), 0, 0).write(upright, rng())[0]
    assert slanted[0, 0] - slanted[-1, 0] == pytest.approx(0.5)  # its top to the right
    lying = STEADY.write(upright, rng(), turned=np.pi / 2)[0]
    assert np.ptp(lying[:, 1]) < 1e-9
    wide = Hand(0, 2, 0, 0, np.zeros((2, 3)), 0, 0).write(Way("0,0 4,10"), rng())[0]
    assert np.ptp(wide[:, 0]) == pytest.approx(0.8)


def test_pens_leave_strokes_of_their_width():
    line = STEADY.write(Way("3,0 3,10"), rng())
    for width in (0.04, 0.2):
        ink = ink_of_lines(line, Pen(width), 100, rng())
        assert ink.shape[0] == pytest.approx(100 + 2 * 100 * width, abs=3)
        assert (ink[len(ink) // 2] > 0.5).sum() == pytest.approx(100 * width, abs=1.5)
    gaps = ink_of_lines(line, Pen(0.04, gaps=0.5), 100, rng())
    assert gaps.sum() < 0.8 * ink_of_lines(line, Pen(0.04), 100, rng()).sum()
    grain = ink_of_lines(line, Pen(0.2, grain=0.6), 100, rng())
    assert 0.3 < grain[grain > 0].mean() < 0.95


def test_photos_show_the_ink_on_light_and_on_dark():
    ink = ink_of_lines(STEADY.write(Way("3,0 3,10"), rng()), Pen(0.1), 60, rng())
    photos = [photograph(ink, rng(seed)) for seed in range(60)]
    assert {photo.dtype for photo in photos} == {np.dtype(np.uint8)}
    is_light = [np.median(photo) > 127 for photo in photos]
    assert 0.7 < np.mean(is_light) < 0.98


def test_some_photos_are_coarse():
    ink = ink_of_lines(STEADY.write(Way("3,0 3,10"), rng()), Pen(0.1), 60, rng())
    heights = np.array([len(photograph(ink, rng(seed))) for seed in range(200)])
    assert all((heights > len(ink)) | (heights < 40))
    assert 0.08 < np.mean(heights < 40) < 0.25
    photos = [photograph(ink, rng(seed)) for seed in np.flatnonzero(heights < 40)]
    assert all(np.ptp(photo) > 60 for photo in photos)  # the stroke is still to be seen


def test_a_seed_draws_the_same_again():
    for draw in (drawn_digits, drawn_others):
        first, second, other = (list(draw(13, seed)) for seed in (1, 1, 2))
        assert [about[1:] for about in first] == [about[1:] for about in second]
        assert all((a[0] == b[0]).all() for a, b in zip(first, second))
        assert any((a[0] != b[0]).any() for a, b in zip(first, other))


def test_digits_come_in_all_styles_in_the_form_of_mnist():
    every = [(digit, style) for digit in STYLES for style in styles_of(digit)]
    drawn = list(drawn_digits(sum(OFTEN.get(about, 1) for about in every), seed=3))
    assert list(dict.fromkeys(about[1:] for about in drawn)) == every
    assert [about[1:] for about in drawn].count(("1", "upstroke")) == OFTEN["1", "upstroke"] > 1
    assert {picture.shape for picture, *_ in drawn} == {(28, 28)}
    assert np.mean([has_form(picture) for picture, *_ in drawn]) > 0.9
    assert [about[1] for about in drawn_digits(8, seed=3, digits=["3", "8"])] == ["3"] * 4 + ["8"] * 4


def test_what_is_no_digit_comes_in_all_kinds():
    drawn = list(drawn_others(3 * len(KINDS), seed=5))
    assert {kind for _, kind in drawn} == set(KINDS) - {"paper"}  # on which nothing is seen
    assert {picture.shape for picture, _ in drawn} == {(28, 28)}
    assert not any(set(signs) & set(LOOK_ALIKES) for signs in (LETTERS, PRINTED_LETTERS, PRINTED_SCRIPTS))
    assert no_digit_photo("paper", rng()).ndim == 2


def test_outlines_that_are_made_up_are_no_zeros():
    drawn = rng()
    outlines, widest = zip(*(_outline(drawn) for _ in range(200)))
    assert all((line == again).all() for line, again in ((strokes[0][0][0], strokes[0][0][-1]) for strokes in outlines))
    for (line, _), *marks in outlines:
        radii = np.hypot(*((line - (4, 5)) / (4, 4.5)).T)
        assert marks or np.ptp(radii) > 0.2  # of an ellipse 0
        assert len(marks) in (0, 2, 3, 4)
    assert 0.3 < np.mean([len(strokes) > 1 for strokes in outlines]) < 0.7
    assert [pen == FINE for pen in widest] == [len(strokes) > 1 for strokes in outlines]


def test_wild_lines_are_longer_than_those_of_digits():
    drawn = rng()
    for _ in range(100):
        line = _wild_line(20, drawn)
        sides = sorted(np.ptp(line, axis=0))
        assert np.hypot(*np.diff(line, axis=0).T).sum() > 5 * sides[1] > 0
        assert sides[0] > 0.4 * sides[1]
    longest = max(
        sum(np.hypot(*np.diff(line, axis=0).T).sum() for line in lines) / np.ptp(np.vstack(lines), axis=0).max()
        for ways in STYLES.values()
        for style in ways.values()
        for way in style
        for lines in [STEADY.write(way, drawn)]
    )
    assert longest < 5


def test_what_is_made_up_has_no_wide_strokes():
    from scipy.ndimage import distance_transform_edt

    drawn = rng()
    inks = [made_up(drawn, 60) for _ in range(60)]
    deepest = [distance_transform_edt(ink > 0.5).max() for ink in inks]
    assert np.median(deepest) < 60 * WIDEST * 0.8  # where strokes cross, ink is wider
    assert min(ink.max() for ink in inks) > 0.3


def test_as_they_are_pictures_are_larger_and_on_dark():
    drawn = [picture for picture, *_ in [*drawn_digits(20, seed=1, in_form=False), *drawn_others(20, 1, in_form=False)]]
    sides = [max(picture.shape) for picture in drawn]
    assert np.mean([side > 28 for side in sides]) > 0.7  # others are coarse
    assert np.mean([np.median(picture) < 127 for picture in drawn]) > 0.9


def test_two_pictures_side_by_side_are_several(digit_images):
    images = np.pad(digit_images[0][:40].repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))
    pairs = [side_by_side(images[k], images[k + 20], rng(k)) for k in range(20)]
    assert all(pair.shape[0] == pair.shape[1] for pair in pairs)
    told = [int(contents_of(pair[None])[0]) for pair in pairs]
    assert told.count(SEVERAL) > 8  # others touch


def test_a_style_that_is_turned_lies():
    lying = [digit_photo("8", "lying", rng(seed)) for seed in range(12)]
    upright = [digit_photo("8", "closed", rng(seed)) for seed in range(12)]

    def ratio(photos) -> float:
        """Width over height of what is drawn."""
        found = []
        for photo in photos:
            ink = np.abs(photo.astype(int) - int(np.median(photo))) > 60
            if len(photo) < 40:  # coarse
                continue
            rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
            found.append(np.ptp(columns) / max(np.ptp(rows), 1))
        return float(np.median(found))

    assert ratio(lying) > 1.2 * ratio(upright)
