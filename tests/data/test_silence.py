"""Readers of files say nothing of them, in any thread, and put back what a program had set."""

import logging
import warnings
from threading import Thread

import pytest
from PIL import Image

from latentdp.data import png
from latentdp.data.silence import silence
from latentdp.errors import UnsupportedInstance

CANARY = "Doe^Jane"


def say():
    warnings.warn(CANARY, stacklevel=1)
    logging.getLogger("pydicom.pixels").error(CANARY)


@pytest.mark.parametrize("first_out", [0, 1])
def test_threads_that_overlap_stay_silent_and_put_the_settings_back(caplog, recwarn, first_out):
    rooms = [silence(), silence()]
    for room in rooms:
        in_a_thread(room.__enter__)
        say()
    in_a_thread(rooms[first_out].__exit__, None, None, None)
    say()
    assert (caplog.text, recwarn.list) == ("", [])
    in_a_thread(rooms[1 - first_out].__exit__, None, None, None)
    say()
    assert logging.getLogger("pydicom").propagate
    assert (caplog.text.count(CANARY), len(recwarn.list)) == (1, 1)


def test_an_error_inside_ends_the_silence(caplog):
    with pytest.raises(ValueError, match="Doe"), silence():
        raise ValueError("Doe")
    logging.getLogger("pydicom.pixels").error(CANARY)
    assert CANARY in caplog.text


@pytest.mark.parametrize("filters", ["ignore", "default"])
def test_a_picture_of_too_many_pixels_is_refused_whatever_warnings_do(tmp_path, filters):
    path = tmp_path / "large.png"
    Image.new("1", (png.MOST_PIXELS // 8000 + 1, 8000)).save(path)
    with warnings.catch_warnings():
        warnings.simplefilter(filters)
        with pytest.raises(UnsupportedInstance) as caught, silence():
            png.look(path)
    assert caught.value.reason == "too-large"


def in_a_thread(call, *arguments):
    thread = Thread(target=call, args=arguments)
    thread.start()
    thread.join()
