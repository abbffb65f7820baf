"""Pages that several tests look at; they take seconds to draw."""

import pytest

from tests.support import evaluations
from tests.support.drawn_pages import drawn
from tests.support.html_page import Page


@pytest.fixture(scope="session")
def evaluation(tmp_path_factory) -> Page:
    return drawn(evaluations.evaluation(), tmp_path_factory.mktemp("evaluation"))


@pytest.fixture(scope="session")
def comparison(tmp_path_factory) -> Page:
    return drawn(evaluations.comparison(), tmp_path_factory.mktemp("comparison"))
