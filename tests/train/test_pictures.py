import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from speller.train.alignments import Alignment
from speller.train.gradient_flow import gradient_flow, probe
from speller.train.pictures import END, START, draw_alignment, draw_flow, draw_sweep, render
from speller.train.sweep import Sweep


def alignment(wrong, right, written):
    return Alignment(
        wrong,
        right,
        written,
        torch.full((len(right) + 1, len(wrong) + 1), 1 / (len(wrong) + 1)),
        torch.eye(len(right), len(wrong)),
        torch.eye(len(written), len(right)),
    )


@pytest.mark.parametrize("written", ["λέξη", "", "λέξηλέξηλέξηλέξηλέξηλέξηλέξηλέξηλέξηλέξη"])
def test_an_alignment(written):
    figure = draw_alignment(alignment("λξη", "λέξη", written))
    panels = figure.axes[:3]
    assert [axes.get_title() for axes in panels] == [
        "attention",
        "the pair's alignment",
        "what it writes, aligned",
    ]
    names = [[label.get_text() for label in axes.get_yticklabels()] for axes in panels]
    assert names == [["λ", "έ", "ξ", "η", END], ["λ", "έ", "ξ", "η"], list(written)]
    names = [[label.get_text() for label in axes.get_xticklabels()] for axes in panels]
    assert names == [[START, "λ", "ξ", "η"], ["λ", "ξ", "η"], ["λ", "έ", "ξ", "η"]]
    assert np.array_equal(panels[1].images[0].get_array(), np.eye(4, 3))
    pixels = render(figure)
    assert pixels.shape[2] == 3
    assert pixels.dtype == np.uint8
    assert pixels.std() > 0


def test_a_script_that_the_font_lacks_is_drawn_in_silence():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(draw_alignment(alignment("한굴", "한글", "한글")))


def test_a_flow(make_model, greek):
    flows = gradient_flow(make_model("rnn", symbols=len(greek.alphabet)), probe(greek))
    figure = draw_flow(flows, title="a title")
    (axes,) = figure.axes
    assert axes.get_title() == "a title"
    for line, norms in zip(axes.lines[:3], flows.values(), strict=True):
        lags, shares = line.get_data()
        assert lags.tolist() == list(range(51))
        assert shares[0] == pytest.approx(1)
        assert shares[50] == pytest.approx(float(norms[-1, 50] / norms[-1, 0]))
    assert [text.get_text().split(":")[0] for text in axes.get_legend().get_texts()] == [
        "decoder",
        "encoder, forward",
        "encoder, backward",
    ]


def test_a_sweep():
    rates = np.geomspace(1e-5, 1, 100)
    losses = np.where(rates < 1e-3, 0, np.where(rates < 1e-1, -1, 2.0))
    figure = draw_sweep(Sweep(rates, losses), title="a title")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["falls", "oscillates", "breaks"]
    assert axes.get_legend().get_texts()[-1].get_text().startswith("proposed: ")
    low, high = axes.get_ylim()
    assert low < -1
    assert high < 2
    assert render(figure).std() > 0


def test_nothing_is_pyplots():
    code = (
        "import sys, numpy, speller.train.watching; from speller.train.pictures import *; "
        "rates = numpy.geomspace(1e-5, 1, 50); "
        "render(draw_sweep(Sweep(rates, numpy.where(rates < 1e-3, 0.0, -1.0)), title='')); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
