"""Pages of documents, as the commands draw them."""

import json

from latentdp.reports.comparison import Comparison
from latentdp.reports.comparison_page import write_comparison_page
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_page import write_evaluation_page
from tests.support.html_page import Page

FEW = (2, 5, 14)  # labels only, a rival, our default


def opened(data: dict) -> Evaluation | Comparison:
    """A document, as it is read from its file."""
    kind = Evaluation if data["kind"] == "evaluation" else Comparison
    return kind.from_json(json.loads(json.dumps(data)))


def drawn(data: dict, place) -> Page:
    """A page by its kind, as the commands write it: from JSON that was written and read."""
    write = write_evaluation_page if data["kind"] == "evaluation" else write_comparison_page
    path = place / f"{data['kind']}.html"
    write(opened(data), path)
    read = Page(path)
    read.path, read.source = path, path.read_text(encoding="utf-8")
    read.words = " ".join(read.text.split())
    return read
