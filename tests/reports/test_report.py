"""The report shows what evaluate says, names what was planted, and needs nothing but itself."""

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import timm
import torch

from fastdigits import InputError, convert, evaluate, finetune, open_model, report, train
from fastdigits.models.introspection import (
    feature_maps,
    features,
    first_filters,
    grad_cam,
    layer_table,
    weight_statistics,
)
from fastdigits.reports.expectation import expectation_section
from fastdigits.reports.page import Section, Table, Text
from fastdigits.reports.view import open_view
from fastdigits.runs.directory import Run
from tests.browsers import CHROMIUM, needs_chromium


class Parts(HTMLParser):
    """Every tag and the sources that it names."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.sources, self.open_tags = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.sources += [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]
        if tag not in ("meta", "link", "img", "br"):
            self.open_tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag


@pytest.fixture(scope="module")
def reported(shared, run):
    """A copy of the run with its report."""
    copy = shared / "reported"
    shutil.copytree(run, copy)
    assert report(str(copy)).page.is_file()  # one run may be a text
    return copy


@pytest.fixture(scope="module")
def page(reported) -> str:
    return (reported / "report.html").read_text(encoding="utf-8")


def test_the_page_needs_nothing_but_itself(page):
    parts = Parts(page)
    assert parts.open_tags == []
    assert parts.tags.count("script") == 1  # which folds and sorts
    assert all(source.startswith(("data:", "#")) for source in parts.sources)
    assert "http" not in re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", page)
    assert 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page, re.DOTALL)
    assert len(captions) == page.count("<figure") > 10
    assert all(len(caption) > 30 for caption in captions)


def test_every_number_is_evaluates(reported, page, folder):
    evaluate(str(reported), str(folder), out=reported / "again.json")
    kept, again = (json.loads((reported / name).read_text()) for name in ("evaluation.json", "again.json"))
    assert json.loads((reported / "report-parts/report.json").read_text()) == kept | {"data": kept["data"]}
    for name in ("accuracy", "interval", "confusion", "per_class", "pictures", "top2", "macro_f1", "classes"):
        assert again[name] == kept[name], name
    for name in ("log_loss", "calibration_error"):
        assert again[name] == pytest.approx(kept[name], abs=1e-5)
    np.testing.assert_allclose(again["coverage"], kept["coverage"], atol=1e-5)
    assert again["reject"]["coverage"] == kept["reject"]["coverage"]
    text = html.unescape(page)
    low, high = kept["interval"]
    mistakes = round(40 * (1 - kept["accuracy"]))
    shown = f"<strong>{kept['accuracy']:.2%}</strong> accuracy (95 % interval {low:.2%} .. {high:.2%})"
    assert f"{shown}; {mistakes} mistakes." in text
    assert "40 valid pictures of digits that it was not trained on" in text
    low, high = kept["macro_f1_interval"]
    assert f"macro F1 {kept['macro_f1']:.4f} ({low:.4f} .. {high:.4f}), log loss {kept['log_loss']:.4f}" in text
    assert f"calibration error {kept['calibration_error']:.2%}" in text
    table = pd.read_csv(reported / "report-parts/classes.csv", dtype=str)
    for row, score in zip(table.itertuples(), kept["per_class"]):
        assert list(row)[1:5] == [score["label"], *(f"{score[name]:.4f}" for name in ("precision", "recall", "f1"))]
        assert f"<td>{score['f1']:.4f}</td>" in page


def test_figures_and_tables_are_files_too(reported, page):
    names = {path.name for path in (reported / "report-parts").iterdir()}
    assert {f"{name}.png" for name in PICTURES} <= names
    assert {f"{name}.csv" for name in ("classes", "layers", "weight-statistics", "confused-pairs", "mistakes")} <= names
    assert page.count("<img") >= len(PICTURES)


PICTURES = (
    *("confusion", "class-intervals", "class-heat-map", "reliability", "coverage", "curves", "grad-cam", "neighbours"),
    *("augmentation", "versions", "values", "feature-maps", "network", "first-filters", "weights", "misclassified"),
)


def test_a_planted_confused_pair_comes_first(tmp_path, reported):
    copy = tmp_path / "planted"
    shutil.copytree(reported, copy)
    table = pd.read_csv(copy / "valid_predictions.csv", dtype={"id": str, "true": str, "label": str})
    columns = [f"p_{k}" for k in range(10)]
    table[columns] = np.eye(10)[table["true"].astype(int)] * 0.9 + 0.01  # all right ...
    fours = table.index[table["true"] == "4"]
    table.loc[fours, "p_4"], table.loc[fours, "p_9"] = 0.2, 0.71  # ... but for the fours
    table.loc[fours[0], ["p_4", "p_9"]] = 0.01, 0.9
    one = table.index[table["true"] == "1"][0]
    table.loc[one, ["p_1", "p_7"]] = 0.01, 0.95
    table.to_csv(copy / "valid_predictions.csv", index=False)
    report([copy])
    pairs = pd.read_csv(copy / "report-parts/confused-pairs.csv", dtype=str)
    assert pairs.iloc[0].tolist() == ["4", "9", str(len(fours))]
    assert pairs.iloc[1].tolist() == ["1", "7", "1"]
    mistakes = pd.read_csv(copy / "report-parts/mistakes.csv", dtype=str)
    assert mistakes["id"].iloc[0] == table.loc[fours[0], "id"]  # the surest of the most confused pair
    assert mistakes["id"].iloc[-1] == table.loc[one, "id"]
    page = (copy / "report.html").read_text(encoding="utf-8")
    assert f"4 is taken for 9 most often: {len(fours)} of {len(fours) + 1} mistakes." in page
    suspects = pd.read_csv(copy / "report-parts/suspects.csv", dtype=str)
    assert suspects["id"].iloc[0] == table.loc[one, "id"]


def test_a_chosen_picture(reported, tmp_path):
    table = pd.read_csv(reported / "valid_predictions.csv", dtype=str)
    out = tmp_path / "page.html"
    report([reported], picture=table["id"][5], out=out)
    assert f"{table['id'][5]}: true {table['true'][5]}" in out.read_text(encoding="utf-8")
    assert (tmp_path / "page-parts" / "values.png").is_file()


def test_what_has_no_neighbour_has_its_row_for_itself():
    narrow, wide = Table("a", "A", "", ["x"], []), Table("b", "B", "", list("abcdefgh"), [])
    text = Text(["beside"], is_beside=True)
    section = Section("S", [narrow, narrow, narrow, wide, narrow, text, Text(["above"]), text])
    assert [place for _, place in section.placed] == ["half", "half", "alone", "wide", "half", "half", "wide", "wide"]
    assert [item for item, _ in section.placed] == section.items


def test_without_the_data(tmp_path, reported):
    copy = tmp_path / "moved"
    shutil.copytree(reported, copy)
    shutil.rmtree(copy / "report-parts")
    record = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps(record | {"data": str(tmp_path / "gone")}))
    found = report([copy])
    assert found.lead[-1] == "The data are not where they were or have changed, so pictures are left out."
    assert not (copy / "report-parts/neighbours.png").exists()
    assert (copy / "report-parts/weights.png").exists()


def test_a_dense_network_has_a_report(tmp_path, folder28):
    train("mlp-300-100", folder28, epochs=1, out=tmp_path / "run")
    report([tmp_path / "run"])
    names = {path.stem for path in (tmp_path / "run/report-parts").iterdir()}
    assert {"first-filters", "values", "neighbours"} <= names
    assert not {"grad-cam", "feature-maps"} & names


@pytest.mark.slow
def test_groups_are_shown(tmp_path, table_file, digit_table):
    groups = tmp_path / "writers.csv"
    pd.DataFrame({"id": digit_table["id"], "writer": np.arange(200) // 20}).to_csv(groups, index=False)
    convert(table_file, tmp_path / "digits", groups=groups, valid=0.3)
    options = {"weights": "none", "epochs": 1, "size": 16, "batch_size": 32, "lr": 5e-3}
    finetune("test_resnet", tmp_path / "digits", out=tmp_path / "run", **options)
    report([tmp_path / "run"])
    assert (tmp_path / "run/report-parts/group-intervals.png").is_file()
    evaluation = Run(tmp_path / "run").evaluation()
    assert len(evaluation["groups"]) == 3
    card = (tmp_path / "run/README.md").read_text()
    assert "split by group (writers.csv): no group on both sides" in card
    assert "The scores are of writers held back" in card


@pytest.fixture(scope="module")
def three_runs(shared, folder, run):
    for name, epochs in (("short", 1), ("long", 4)):
        options = {"weights": "none", "size": 16, "batch_size": 32, "lr": 5e-3}
        finetune("test_resnet", folder, epochs=epochs, out=shared / name, **options)
    return [shared / "short", run, shared / "long"]


def test_a_comparison(tmp_path, three_runs, folder):
    out = tmp_path / "comparison.html"
    found = report(three_runs, out=out)
    page = html.unescape(out.read_text(encoding="utf-8"))
    board = pd.read_csv(tmp_path / "comparison-parts/leaderboard.csv", dtype=str)
    accuracies = [Run(path).result()["accuracy"] for path in three_runs]
    assert board["accuracy"].tolist() == [f"{value:.2%}" for value in sorted(accuracies, reverse=True)]
    best = three_runs[int(np.argmax(accuracies))]
    assert found.lead[0] == f"The best of 3 runs is {best.name}."
    differences = pd.read_csv(tmp_path / "comparison-parts/differences.csv")
    other = next(path for path in three_runs if path.name == differences["runs"][0].split(" – ")[1])
    compared = evaluate(str(best), str(folder), against=str(other)).comparison
    assert differences["p"][0] == pytest.approx(compared.p_value, rel=0.01)
    assert differences["only the first right"][0] == compared.only_first_right
    assert "The best of several runs on the pictures that chose it is a little flattered." in page
    assert (tmp_path / "comparison-parts/curves.png").is_file()
    assert Parts(page).open_tags == []


def test_runs_over_other_pictures_are_not_tested(tmp_path, run, table_file):
    convert(table_file, tmp_path / "other", valid=0.3, seed=9)
    options = {"weights": "none", "epochs": 1, "size": 16, "batch_size": 32, "lr": 5e-3}
    finetune("test_resnet", tmp_path / "other", out=tmp_path / "other-run", **options)
    found = report([run, tmp_path / "other-run"], out=tmp_path / "page.html")
    assert "The runs were validated on 2 different sets of pictures" in found.lead[0]
    assert not (tmp_path / "page-parts/differences.csv").exists()


def test_wrong_input(tmp_path, run, table_file):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished/run.json").write_text("{}")
    (tmp_path / "there.html").touch()
    convert(table_file, tmp_path / "all", valid=0)
    options = {"weights": "none", "epochs": 1, "size": 16, "batch_size": 32, "lr": 5e-3}
    finetune("test_resnet", tmp_path / "all", out=tmp_path / "unscored", **options)
    cases = [
        ({"runs": [tmp_path / "none"]}, "is no run directory; name one that finetune or train has made"),
        ({"runs": [tmp_path / "unfinished"]}, "is an unfinished run; finish it with --resume"),
        ({"runs": []}, "name the run directories to report on"),
        ({"runs": [run, run]}, "a run is named twice"),
        ({"runs": [run, tmp_path / "unscored"], "picture": "3"}, "--picture belongs to the report of one run"),
        ({"runs": [run], "picture": "nobody"}, "--picture nobody is no valid picture of"),
        ({"runs": [run], "out": tmp_path / "there.html"}, "exists already; pass --overwrite"),
        ({"runs": [run], "out": tmp_path / "page.txt"}, "is no page; name a file that ends in .html"),
        ({"runs": [tmp_path / "unscored"]}, "has no scores, since all its rows were trained on; name a run with"),
        ({"runs": [run, tmp_path / "unscored"]}, "has no scores, since all its rows were trained on; name a run with"),
    ]
    for arguments, message in cases:
        with pytest.raises(InputError) as caught:
            report(**{"out": tmp_path / "new.html"} | arguments)
        assert message in str(caught.value)
    assert not (tmp_path / "new.html").exists()


def test_inside_a_network(run, digit_images):
    saved = open_model(run)
    x = saved.model_input(digit_images[0][:5])
    layers = layer_table(saved.module, x)
    assert sum(layer.parameters for layer in layers) == sum(p.numel() for p in saved.module.parameters())
    assert layers[-1].output_shape == (10,)
    maps = feature_maps(saved.module, x[:1])
    kinds = [name.split(" ")[1] for name, _ in maps]
    assert kinds.count("Conv2d") == sum(isinstance(m, torch.nn.Conv2d) for m in saved.module.modules())
    layers = [m for m in saved.module.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    parameters = [p for layer in layers for p in (layer.weight, layer.bias) if p is not None]
    for statistics, parameter in zip(weight_statistics(saved.module), parameters, strict=True):
        assert statistics.name.endswith(" bias") == (parameter.ndim == 1)
        assert statistics.shape == tuple(parameter.shape)
        assert sum(statistics.counts) == parameter.numel()
        assert statistics.mean == pytest.approx(parameter.mean().item(), abs=1e-6)
    first = next(m for m in saved.module.modules() if isinstance(m, torch.nn.Conv2d))
    np.testing.assert_allclose(first_filters(saved.module), first.weight.detach().sum(1).numpy(), rtol=1e-6)
    found = features(saved.module, iter([x]))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_maps_are_those_that_the_next_layer_sees():
    """Behind the activation, also where normalisation stands between; as they were, also where it works in place."""
    torch.manual_seed(0)
    first, second = torch.nn.Conv2d(1, 3, 3), torch.nn.Conv2d(3, 2, 3)
    network = torch.nn.Sequential(
        first, torch.nn.BatchNorm2d(3), torch.nn.ReLU(inplace=True), torch.nn.MaxPool2d(2), torch.nn.ReLU(), second
    ).eval()
    picture = torch.rand(1, 1, 12, 12)
    maps = dict(feature_maps(network, picture))
    assert list(maps) == ["0 Conv2d + ReLU", "3 MaxPool2d", "5 Conv2d"]
    with torch.no_grad():
        activated = network[1](first(picture)).relu()
        np.testing.assert_allclose(maps["0 Conv2d + ReLU"], activated[0].numpy(), rtol=1e-6)
        np.testing.assert_allclose(maps["5 Conv2d"], network(picture)[0].numpy(), rtol=1e-6)


def test_a_residual_sum_is_no_convolution():
    class Residual(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = torch.nn.Conv2d(1, 1, 3, padding=1), torch.nn.BatchNorm2d(1)
            self.relu = torch.nn.ReLU(inplace=True)

        def forward(self, x):
            y = self.norm(self.conv(x))
            y += x
            return self.relu(y)

    assert [name for name, _ in feature_maps(Residual().eval(), torch.rand(1, 1, 6, 6))] == ["conv Conv2d"]


def test_grad_cam_looks_where_the_answer_is():
    """A network that sums one quarter of the picture is asked where it looked."""
    convolution = torch.nn.Conv2d(1, 2, 1, bias=False)
    torch.nn.init.constant_(convolution.weight, 1.0)
    module = torch.nn.Sequential(convolution, torch.nn.Flatten(), torch.nn.Linear(2 * 64, 2, bias=False)).eval()
    torch.nn.init.constant_(module[2].weight, 1.0)
    x = torch.zeros(1, 1, 8, 8)
    x[..., :4, 4:] = 1
    heat = grad_cam(module, x, [1])[0]
    assert heat[:4, 4:].min() == 1
    assert heat.sum() == pytest.approx(16)
    assert grad_cam(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2)), x, [0]) is None


def test_layers_with_parameters_beside_layers_of_their_own():
    """timm's BatchNorm holds its activation, and a vision transformer its class token."""
    for name in ("test_vit", "test_efficientnet"):
        module = timm.create_model(name, num_classes=10, **({"img_size": 32} if "vit" in name else {})).eval()
        layers = layer_table(module, torch.zeros(1, 3, 32, 32))
        assert sum(layer.parameters for layer in layers) == sum(p.numel() for p in module.parameters()), name


@pytest.mark.slow
def test_an_earlier_page_and_strange_folders_are_not_replaced(tmp_path, run, reported):
    earlier = tmp_path / "page.html"
    shutil.copy(reported / "report.html", earlier)
    shutil.copytree(reported / "report-parts", tmp_path / "page-parts")
    written = earlier.stat().st_mtime_ns
    with pytest.raises(InputError, match="exists already; pass --overwrite"):
        report([run], out=earlier)
    assert earlier.stat().st_mtime_ns == written
    assert report([run], out=earlier, overwrite=True).page == earlier
    assert earlier.stat().st_mtime_ns > written
    (tmp_path / "mine-parts").mkdir()
    (tmp_path / "mine-parts/letter.txt").touch()
    with pytest.raises(InputError, match="holds other things"):
        report([run], out=tmp_path / "mine.html", overwrite=True)
    assert not (tmp_path / "mine.html").exists()


# what lies beyond the page's width, but for what can be moved sideways; and what went wrong
MEASURE = """
<style>html { width: WIDTHpx; }</style>
<script>
const wrong = [];
addEventListener("error", event => wrong.push("error: " + (event.message || event.target.src.slice(0, 60))), true);
addEventListener("load", () => {
  document.querySelectorAll("details").forEach(part => part.open = true);
  for (const part of document.body.querySelectorAll("*"))
    if (!part.closest(".scroll") && part.getBoundingClientRect().right > WIDTH + 1)
      wrong.push(`${part.tagName} ${part.className} ends at ${part.getBoundingClientRect().right}`);
  for (const picture of document.images)
    if (!picture.naturalWidth) wrong.push("a picture is broken");
  document.body.innerHTML = "<pre id='found'>" + (wrong.join("; ") || "nothing is wrong") + "</pre>";
});
</script>
"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not installed")
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("kind", ["one", "several"])
def test_nothing_overflows_in_a_browser(tmp_path, three_runs, width, kind):
    out = tmp_path / "page.html"
    report(three_runs[:1] if kind == "one" else three_runs, out=out)
    page = out.read_text(encoding="utf-8").replace("<head>", "<head>" + MEASURE.replace("WIDTH", str(width)), 1)
    (tmp_path / "measured.html").write_text(page, encoding="utf-8")
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={tmp_path}/profile", f"file://{tmp_path}/measured.html"]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert html.unescape(re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL).group(1)) == "nothing is wrong"


@pytest.mark.slow
@needs_chromium
def test_sections_fold_tables_sort_and_all_can_be_used(browser, reported):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto((reported / "report.html").as_uri())
    facts = page.locator(".facts dt").all_inner_texts()
    assert facts == ["How good", "On whom", "On new rows", "What it confuses", "What to do next"]
    box = page.locator(".facts").bounding_box()
    assert box["y"] + box["height"] < 450  # on the first screen
    assert page.locator("details#network").get_attribute("open") is None
    page.click("nav >> text=Network")
    assert page.locator("details#network").get_attribute("open") is not None
    assert page.locator("nav").bounding_box()["y"] == 0  # it stays
    table = page.locator("#scores table").first
    for name in ("F1", "F1"):
        table.get_by_role("button", name=name, exact=True).click()
    found = [float(text) for text in table.locator("tbody td:nth-child(4)").all_inner_texts()]
    assert found == sorted(found, reverse=True)
    assert table.locator("th[aria-sort=descending]").inner_text().startswith("F1")
    results = Axe().run(page)
    grave = [found for found in results.response["violations"] if found["impact"] in ("serious", "critical")]
    assert grave == []
    context.close()


@pytest.mark.slow
@needs_chromium
def test_figures_can_be_read_on_a_phone(browser, reported):
    """Letters of nine points, the least that figures have, are eight pixels high or more."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto((reported / "report.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    scales = page.locator("figure img").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect().width / e.naturalWidth)"
    )
    assert min(scales) * 9 / 72 * 150 >= 8
    context.close()


def test_what_to_expect_on_test_pictures(tmp_path, table_file, digit_table):
    digit_table.drop(columns="label").to_csv(tmp_path / "test.csv", index=False)
    convert(table_file, tmp_path / "digits", valid=0.3, test=tmp_path / "test.csv")
    train("dnn-he", tmp_path / "digits", epochs=2, out=tmp_path / "run")
    train("dnn-he", tmp_path / "digits", epochs=1, folds=2, seed=1, out=tmp_path / "folds")
    for run in (tmp_path / "run", tmp_path / "folds" / "seed1-fold2"):
        section = expectation_section(open_view(Run(run)))
        text, figure, gallery = section.items
        assert text.lines[0].startswith("Expected accuracy ")
        assert figure.name == "expectation"
        assert figure.sentence.startswith("Of 200 test pictures, by how sure the model is of its answers")
        assert len(gallery.cards) == 12
        assert gallery.sentence.startswith("The test rows ")
    convert(table_file, tmp_path / "without", valid=0.3)
    train("dnn-he", tmp_path / "without", epochs=1, out=tmp_path / "other")
    (text,) = expectation_section(open_view(Run(tmp_path / "other"))).items
    assert text.lines[0].startswith("The folder has no test pictures.")
