"""What comes next, and that nobody is given what another has: on real digits, without a page."""

import shutil
import threading
import time

import numpy as np
import pytest

from fastdigits import InputError, convert, label_queue
from fastdigits.answers import Inference, open_model
from fastdigits.labelling.planning import Planner, SuspectPlanner
from fastdigits.labelling.pool import Pool
from fastdigits.labelling.session import LOOK_S, NotReadYet, Session
from fastdigits.labelling.trainer import Trainer
from fastdigits.sources import NO_DIGIT, UNSURE, Chunk, LabelLog, PixelSource, open_source

CLASSES = [str(digit) for digit in range(10)]


@pytest.fixture(scope="module")
def source(tmp_path_factory, digit_images):
    """600 digits without labels, ids from 0."""
    import pandas as pd

    file = tmp_path_factory.mktemp("pool") / "digits.csv"
    table = pd.DataFrame(digit_images[0][:600].reshape(600, -1), columns=[f"pixel{k}" for k in range(64)])
    table.to_csv(file, index=False)
    return file


@pytest.fixture
def truth(digit_images) -> dict[int, str]:
    return dict(enumerate(digit_images[1][:600].astype(str)))


@pytest.fixture
def session(source, tmp_path):
    pool = Pool(open_source(source))
    session = Session(pool, LabelLog(tmp_path / "labels.csv"), Planner(pool, CLASSES))
    session.begin()
    yield session
    session.end()


def chosen(session, person="w0001", **options):
    """What comes next, once it is chosen."""
    limit = time.monotonic() + 30
    while session.is_choosing and time.monotonic() < limit:
        time.sleep(0.05)
    return session.next(person, **options)


def test_look_alikes_come_together(session, truth):
    right = shown = 0
    for _ in range(8):
        choices = chosen(session)
        assert len({one.together for one in choices}) == 1
        labels = [truth[one.row] for one in choices]
        right += max(labels.count(label) for label in labels)
        shown += len(labels)
        session.say("w0001", {str(one.row): truth[one.row] for one in choices})
    assert right > 0.9 * shown
    assert len(session.labels) == shown
    assert {label for label, count in session.counts().items() if count} <= set(CLASSES)


def test_nobody_is_given_what_another_has(session):
    first, second = chosen(session, "w0001"), chosen(session, "w0002")
    assert not {one.row for one in first} & {one.row for one in second}
    id_ = str(first[0].row)
    assert session.say("w0002", {id_: "3", str(second[0].row): "4"}) == [id_]  # told, and not written
    assert session.labels.label_of == {str(second[0].row): "4"}
    assert first[0].row not in {one.row for one in session.next("w0003")}  # it is the first one's still
    assert session.say("w0001", {id_: "5"}) == []
    assert session.say("w0001", {id_: "6"}) == [id_]  # a label is changed by taking it back alone
    assert session.labels.label_of[id_] == "5"


def test_who_loads_the_page_again_gets_the_same_look_alikes(session):
    before = [one.row for one in chosen(session)]
    assert [one.row for one in chosen(session)] != before  # the next ones
    assert [one.row for one in chosen(session, is_fresh=True)] == before


def test_who_is_not_heard_of_holds_nothing_back(session, monkeypatch):
    before = {one.row for one in chosen(session, "w0001")}
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 10_000)
    assert {one.row for one in session.next("w0002")} == before


def test_two_at_once_lose_nothing_and_double_nothing(session, truth):
    chosen(session, is_fresh=True)

    def label(person):
        for _ in range(12):
            choices = session.next(person)
            for one in choices:
                session.say(person, {str(one.row): truth[one.row]})

    people = [threading.Thread(target=label, args=(f"w{k:04}",)) for k in (2, 3, 4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    rows = session.labels.file.read_text().splitlines()[1:]
    ids = [row.partition(",")[0] for row in rows]
    assert len(ids) == len(set(ids)) == len(session.labels) > 100
    assert all(session.labels.label_of[id_] == truth[int(id_)] for id_ in ids)


def test_what_was_left_out_comes_alone_and_what_was_passed_over_last(session, truth):
    choices = chosen(session)
    left = {choices[0].row, choices[1].row}
    session.say("w0001", {str(one.row): truth[one.row] for one in choices[2:]}, [str(row) for row in left])
    order = []
    while len(session.labels) < 598:
        choices = session.next("w0001")
        order += [(one.row, one.together) for one in choices]
        session.say("w0001", {str(one.row): truth[one.row] for one in choices if one.row not in left})
    alone = [place for place, (row, together) in enumerate(order) if row in left and together is None]
    assert len(alone) >= 2
    first, last = left
    session.say("w0001", {}, [str(last)])
    session.say("w0001", {str(first): truth[first]})
    (late,) = session.next("w0001", is_fresh=True)
    assert (late.row, late.reason) == (last, "passed over before")
    session.say("w0001", {str(last): UNSURE})
    assert session.next("w0001") == []


def test_what_was_said_is_taken_back(session):
    choices = chosen(session)
    session.say("w0001", {str(one.row): "1" for one in choices})
    session.say("w0001", {str(session.next("w0001")[0].row): NO_DIGIT})
    (one,) = session.take_back("w0001")
    assert one.reason == "taken back"
    assert {one.row for one in session.take_back("w0001")} == {one.row for one in choices}
    assert len(session.labels) == 0
    assert session.take_back("w0001") == []
    session.say("w0001", {str(choices[0].row): "2"})
    assert session.labels.label_of == {str(choices[0].row): "2"}


def test_nonsense_is_refused(session):
    chosen(session)
    with pytest.raises(InputError, match="there is no picture '600' here"):
        session.say("w0001", {"600": "1"})
    with pytest.raises(InputError, match=r"the label is 'seven'; accepted are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"):
        session.say("w0001", {"1": "seven"})
    assert len(session.labels) == 0


def test_a_picture_that_has_not_arrived_is_not_unknown(source, tmp_path):
    pool = Pool(open_source(source))
    session = Session(pool, LabelLog(tmp_path / "labels.csv"), Planner(pool, CLASSES))
    with pytest.raises(NotReadYet):
        session.say("w0001", {"3": "1"})


def test_what_fails_beside_the_labelling_is_told_and_the_rest_goes_on(source, tmp_path, truth):
    """A model of other classes than are labelled now was kept."""
    pool = Pool(open_source(source))
    trainer = Trainer(tmp_path, "digitnet-mnist", [*CLASSES, "x"], False)
    trainer.trained = tmp_path / "no-run"
    planner = Planner(pool, [*CLASSES, "x"])
    session = Session(pool, LabelLog(tmp_path / "labels.csv"), planner, trainer)
    session.begin()
    assert chosen(session)
    limit = time.monotonic() + 20
    while session.problem is None and time.monotonic() < limit:
        time.sleep(0.05)
    assert "no-run" in session.problem
    assert session.next("w0002")
    time.sleep(3 * LOOK_S)
    assert "no-run" in session.problem  # until another is trained
    assert (trainer.trained, trainer.labels) == (None, 0)  # which needs no more labels than a first one
    session.end()


def test_a_model_of_before_is_taken_up_however_late_the_pictures_arrive(digit_images, tmp_path):
    def chunks():
        yield Chunk(digit_images[0][:50], [str(row) for row in range(50)], None)
        time.sleep(4 * LOOK_S)  # in which the first fifty are chosen among
        yield Chunk(digit_images[0][50:80], [str(row) for row in range(50, 80)], None)

    pool = Pool(PixelSource("slow", 8, True, False, chunks, str))
    trainer = Trainer(tmp_path, "digitnet-mnist", CLASSES, False)
    trainer.trained = tmp_path / "no-run"
    session = Session(pool, LabelLog(tmp_path / "labels.csv"), Planner(pool, CLASSES), trainer)
    session.begin()
    assert chosen(session)
    limit = time.monotonic() + 20
    while session.problem is None and time.monotonic() < limit:
        time.sleep(0.05)
    session.end()
    assert "no-run" in session.problem  # it was looked at


def test_what_another_labelled_meanwhile_does_not_come_again(session, truth):
    choices = chosen(session)
    session.say("w0001", {}, [str(choices[0].row)])  # passed over alone
    session.labels.add({str(row): truth[row] for row in range(600)}, "w0002", {})
    assert session.next("w0003", is_fresh=True) == []


def test_who_takes_back_after_a_long_silence_is_heard_of(session, monkeypatch):
    choices = chosen(session, "w0001")
    session.say("w0001", {str(one.row): "1" for one in choices})
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 10_000)
    taken_back = {one.row for one in session.take_back("w0001")}
    assert not taken_back & {one.row for one in session.next("w0002")}


def test_a_wrong_source_is_told(tmp_path):
    (tmp_path / "wrong.csv").write_text("id,pixel0,pixel1,pixel2,pixel3\n1,0,0,300,-5\n")
    pool = Pool(open_source(tmp_path / "wrong.csv"))
    session = Session(pool, LabelLog(tmp_path / "labels.csv"), Planner(pool, CLASSES))
    session.begin()
    limit = time.monotonic() + 20
    while session.problem is None and time.monotonic() < limit:
        time.sleep(0.05)
    session.end()
    assert session.problem.startswith("row 1 of wrong.csv")


def test_an_id_that_comes_twice_is_refused(tmp_path):
    rows = "\n".join(f"7,{','.join(str(k) for k in range(64))}" for _ in range(2))
    (tmp_path / "twice.csv").write_text(f"id,{','.join(f'pixel{k}' for k in range(64))}\n{rows}\n")
    with pytest.raises(InputError, match=r"twice.csv has the id '7' twice, so that its label would be both's"):
        Pool(open_source(tmp_path / "twice.csv")).read()


def test_doubtful_pictures_come_first(source, truth, run):
    pool = Pool(open_source(source)).read()
    model = open_model(run)
    planner = Planner(pool, CLASSES, inference=Inference([model]))
    choices = planner.plan({})
    assert len(choices) == 50
    assert all(one.together is None for one in choices)
    leads = planner.probabilities(np.arange(600))
    everywhere = leads.max(1).mean()
    assert np.mean([one.confidence for one in choices]) < everywhere
    first = np.sort(planner.probabilities(np.array([one.row for one in choices])))
    assert (np.diff(first[:, -1] - first[:, -2]) >= 0).all()  # the smallest lead of the first class comes first
    assert " at " in choices[0].reason
    said = {pool.ids[one.row]: truth[one.row] for one in choices}
    assert not {one.row for one in planner.plan(said)} & {one.row for one in choices}


def test_a_quick_classifier_learns_what_is_said(source, truth):
    pool = Pool(open_source(source)).read()
    planner = Planner(pool, CLASSES, "doubtful")
    stands = planner.plan({})
    assert {one.reason for one in stands} == {"stands for many that look like it"}
    assert len({truth[one.row] for one in stands}) == 10  # fifty of them hold every class
    said = {pool.ids[one.row]: truth[one.row] for one in stands}
    doubts = planner.plan(said)
    rest = planner._probabilities(pool.open_rows(said), planner.learnt(said))
    right = [CLASSES[k] == truth[row] for k, row in zip(rest.argmax(1), pool.open_rows(said))]
    assert np.mean(right) > 0.85
    wrong = [one.guess != truth[one.row] for one in doubts]
    assert np.mean(wrong) > 2 * (1 - np.mean(right))  # what it does not know comes first


@pytest.mark.parametrize("flipped", [30])
def test_wrong_labels_come_first(digit_images, tmp_path, flipped):
    import pandas as pd

    images, truth = digit_images[0][:1000], digit_images[1][:1000].copy()
    random = np.random.default_rng(0)
    wrong = random.permutation(1000)[:flipped]
    labels = truth.copy()
    labels[wrong] = (truth[wrong] + random.integers(1, 10, flipped)) % 10
    table = pd.DataFrame(images.reshape(1000, -1), columns=[f"pixel{k}" for k in range(64)])
    table.insert(0, "label", labels)
    table.iloc[500, 1:] = 0  # blank
    table.iloc[501, 1:] = table.iloc[502, 1:]  # a copy
    table.loc[[501, 502], "label"] = 1, 2
    table.to_csv(tmp_path / "digits.csv", index=False)
    queue = label_queue(None, tmp_path / "digits.csv", suspects=True)
    assert len(queue) == 1000
    reason = dict(zip(queue["id"], queue["reason"]))
    assert reason["500"] == "blank: no ink"
    assert "equal to a picture that is labelled 2" in reason["501"]
    assert set(queue["id"][:3]) == {"500", "501", "502"}
    found = {int(id_) for id_ in queue["id"][:63]}
    assert len(found & set(wrong)) >= 0.9 * flipped
    pool = Pool(open_source(tmp_path / "digits.csv")).read()
    planner = SuspectPlanner(pool, CLASSES)
    first = next(one for one in planner.plan({}) if one.row in wrong)
    beside = planner.beside(first)
    assert list(beside) == [pool.labels[first.row], first.guess]
    assert all(pool.labels[row] == label for label, rows in beside.items() for row in rows)
    assert all(len(rows) == 4 and first.row not in rows for rows in beside.values())


def test_the_queue_without_a_page(source, truth, tmp_path, run):
    queue = label_queue(None, source)
    assert list(queue.columns) == ["id", "reason", "guess", "confidence", "together"]
    assert queue["together"].notna().all()
    log = LabelLog(tmp_path / "labels.csv")
    log.add({id_: truth[int(id_)] for id_ in queue["id"][:300]}, "me", {})
    after = label_queue(str(run), source, labels=tmp_path / "labels.csv")
    assert not set(after["id"]) & set(queue["id"][:300])
    assert after["confidence"].between(0, 1).all()
    assert list(label_queue(None, source, order="as-they-come")["id"][:3]) == ["0", "1", "2"]


def test_a_source_of_the_wrong_kind_is_one_line(table_file, source, tmp_path, run):
    with pytest.raises(InputError, match="has labels already; pass --suspects to look at those that may be wrong"):
        label_queue(None, table_file)
    with pytest.raises(InputError, match=r"digits.csv has no labels that could be wrong; leave out --suspects"):
        label_queue(None, source, suspects=True)
    with pytest.raises(InputError, match="--suspects has an order of its own; leave out --order"):
        label_queue(None, table_file, suspects=True, order="doubtful")
    LabelLog(tmp_path / "other.csv").add({"x99": "1"}, "w0001")
    with pytest.raises(InputError, match=r"other.csv names 1 pictures that digits.csv has not, e.g. 'x99'; pass the"):
        label_queue(None, source, labels=tmp_path / "other.csv")
    with pytest.raises(InputError, match=r"--order 'best' is unknown; accepted are auto, look-alikes, doubtful"):
        label_queue(None, source, order="best")
    with pytest.raises(InputError, match=r"--classes: the class 'a/b' cannot name a file"):
        label_queue(None, source, classes=["a/b", "c"])
    with pytest.raises(InputError, match=r"--classes: '\(none\)' begins with a bracket"):
        label_queue(None, source, classes=["(none)", "c"])
    with pytest.raises(InputError, match=r"typo.csv does not exist; pass the labels.csv of `label`"):
        label_queue(None, source, labels=tmp_path / "typo.csv")
    with pytest.raises(InputError, match="the classes a a make no sense; name two or more, each once"):
        label_queue(None, source, classes=["a", "a"])
    with pytest.raises(InputError, match="knows no class 'a'; it tells 0, 1, 2"):
        label_queue(str(run), source, classes=["a", "b"])


def test_an_image_folder_gives_its_test_pictures_or_its_suspects(folder, table_file, test_file, tmp_path):
    queue = label_queue(None, folder, order="as-they-come")
    assert list(queue["id"]) == [str(id_) for id_ in range(1000, 1040)]
    suspects = label_queue(None, folder, suspects=True)
    assert len(suspects) == 200
    convert(table_file, tmp_path / "data")
    with pytest.raises(InputError, match="has no test pictures; it has train, valid"):
        label_queue(None, tmp_path / "data")
    shutil.copytree(tmp_path / "data" / "valid", tmp_path / "hand" / "train")
    shutil.copytree(tmp_path / "data" / "valid", tmp_path / "hand" / "test")
    with pytest.raises(InputError, match="hand/test has labels already; pass --suspects to look at those of train and"):
        label_queue(None, tmp_path / "hand")


def test_suspects_by_a_model_that_tells_more_classes(digit_images, tmp_path):
    import pandas as pd

    rows = np.flatnonzero(np.isin(digit_images[1], [3, 5, 7]))[:150]
    table = pd.DataFrame(digit_images[0][rows].reshape(-1, 64), columns=[f"pixel{k}" for k in range(64)])
    table.insert(0, "label", digit_images[1][rows])
    table.loc[20, "label"] = {3: 5, 5: 7, 7: 3}[table.loc[20, "label"]]
    table.to_csv(tmp_path / "digits.csv", index=False)
    queue = label_queue("digitnet-tiny-mnist", tmp_path / "digits.csv", suspects=True)
    assert queue["id"][0] == "20"
    assert set(queue["guess"]) <= {"3", "5", "7"}


def test_the_order_of_a_long_table_and_a_sample_that_stays(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (12_000, 8, 8), np.uint8)
    np.savez(tmp_path / "many.npz", x_train=images)
    queue = label_queue(None, tmp_path / "many.npz", order="as-they-come")
    assert list(queue["id"][:5]) == ["0", "1", "2", "3", "4"]
    pool = Pool(open_source(tmp_path / "many.npz")).read()
    before, after = pool.open_rows({}, 5_000), pool.open_rows({str(row) for row in range(100)}, 5_000)
    assert len(before) == len(after) == 5_000
    assert set(before[before >= 100]) <= set(after)
