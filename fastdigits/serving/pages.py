"""The two pages for drawing as this server sends them, and what stands on them for those who write programs."""

from fastcore.xml import FT, A, Code, Details, Li, P, Pre, Summary, Ul

from ..pages import DIGITS_FILE, WRITERS_FILE, collecting_page, drawing_page, page_head
from .collection import Collection
from .limits import Limits
from .served import Served

ENDPOINTS = [
    (
        "POST /predict",
        "One or many pictures of one digit each: a PNG or JPEG file as the body, several files as a form, or JSON "
        '{"images": [[[0, …], …], …]}, gray levels 0..255 by picture, row and column, white on black. The answer has '
        "a label, its confidence, all probabilities, and whether a person should look. model=NAME picks a model, "
        "normalise=true or false says whether the digit is cut out and centred first, ground=dark or ground=light "
        "tells the ground of the pictures, if you know it, seen=true returns what the model saw, large ones smaller. "
        "notes are what was noticed.",
    ),
    ("POST /read", "A photo of several digits: the numbers of each line, every digit with its box in pixels."),
    (
        "POST /table",
        "A csv of pixel rows as the body: a csv of id, label, confidence, verdict. With ticket=WORD, GET /table/WORD "
        "says meanwhile how many rows are done; ground=dark or light as above; notes are in X-Fastdigits-Notes.",
    ),
    ("GET /model", "The models, their classes and the sha256 of their weights."),
    ("GET /health", "Whether the server answers, how many pictures wait, and what accuracy to expect."),
]


def served_drawing_page(models: list[Served], limits: Limits, is_collecting: bool) -> tuple[FT, ...]:
    """The page that recognises what is drawn, photographed or tabled."""
    page = drawing_page(
        {served.name: served.classes for served in models},
        ".png,.jpg,.jpeg,.csv",
        f"PNG and JPEG pictures up to {limits.picture_bytes / 1e6:g} MB; csv tables of pixel rows up to "
        f"{limits.table_bytes / 1e6:g} MB, as fastdigits predict takes them.",
        f"{_named(models)}Nothing that you draw or drop is kept, and nothing leaves this server.",
        "/collect" if is_collecting else None,
        _endpoints(),
    )
    return (*page_head("fastdigits", "draw.js"), *page)


def _named(models: list[Served]) -> str:
    """A model's name, where the page has no choice of several."""
    return f"The model is {models[0].name}. " if len(models) == 1 else ""


def served_collecting_page(collection: Collection, is_host: bool) -> tuple[FT, ...]:
    """The page on which a class draws; `is_host` says that it is looked at on the machine that serves, which may
    download what was collected.
    """
    links = tuple(A(name, href=f"/collect/{name}") for name in (DIGITS_FILE, WRITERS_FILE))
    page = collecting_page(collection.classes, len(collection), links if is_host else None, drawing="/")
    return (*page_head("fastdigits: draw digits", "collect.js"), *page)


def _endpoints() -> FT:
    rows = [Li(Code(name), P(about)) for name, about in ENDPOINTS]
    example = "curl --data-binary @seven.png -H 'content-type: image/png' ADDRESS/predict"
    return Details(
        Summary("For programs"),
        Ul(*rows, cls="endpoints"),
        Pre(Code(example, id="example")),
        P(
            'Errors are {"error": "one line"}: 400 wrong content, 403 not from here, 404 no such model, 408 too slow, '
            "413 too large, 415 no PNG or JPEG, 503 come again, 504 no answer in time."
        ),
    )
