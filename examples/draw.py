#!/usr/bin/env python3
"""Draws the pictures of the example issues into examples/pictures/.

    pip install matplotlib pillow
    python3 examples/draw.py

They are drawn in the manner of the themes: a light plate that keeps its paper in the dark, ink, greys and one red;
1200 pixels wide, which is twice what a mail shows. The data are made up to show the shape of each argument.
"""
import io
import pathlib

import matplotlib
import numpy as np
from PIL import Image

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.patches import Ellipse, FancyArrowPatch, Rectangle

PLATE, INK, RED, CREAM = "#F7F2E8", "#1F1B16", "#B1361E", "#FFF8EC"
GREY, PALE, ROSE = "#6A6359", "#C4BCAF", "#D08A72"
FOLDER = pathlib.Path(__file__).resolve().parent / "pictures"
DPI = 100
COLOURS = 40

plt.rcParams.update({
    "font.family": ["Inter", "DejaVu Sans"], "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": GREY,
    "xtick.color": GREY, "ytick.color": GREY, "axes.linewidth": 3, "lines.solid_capstyle": "butt",
    "axes.spines.top": False, "axes.spines.right": False, "figure.facecolor": PLATE, "axes.facecolor": PLATE,
})


def plate(height, size, left=0.11, bottom=0.17, right=0.97, top=0.93):
    """A figure 1200 pixels wide; `size` is that of its letters, in pixels."""
    plt.rcParams["font.size"] = size * 72 / DPI
    figure, axes = plt.subplots(figsize=(1200 / DPI, height / DPI), dpi=DPI)
    figure.subplots_adjust(left=left, bottom=bottom, right=right, top=top)
    axes.tick_params(length=0, pad=10)
    return figure, axes


def bare(axes):
    """Takes frame and scales away."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def save(figure, name):
    """Writes a PNG of few colours, which keeps it small."""
    raw = io.BytesIO()
    figure.savefig(raw, format="png", facecolor=figure.get_facecolor())
    plt.close(figure)
    few = Image.open(raw).convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(FOLDER / name, optimize=True)


def width_first():
    figure, axes = plate(660, 28, right=0.82)
    flops = np.linspace(1, 16, 100)
    for power, colour, weight, word in ((0.97, PALE, 5, "depth"), (0.79, GREY, 5, "compound"), (0.5, RED, 8, "width first")):
        time = 10.5 * flops ** power
        axes.plot(flops, time, color=colour, linewidth=weight)
        axes.text(16.3, time[-1], word, va="center", color=GREY if colour == PALE else colour, weight="bold" if colour == RED else "normal")
    axes.set(xlim=(1, 16), ylim=(0, 160), xlabel="FLOPs, × the base model", ylabel="step time, ms")
    axes.set_xticks(range(2, 17, 2))
    axes.set_yticks(range(0, 161, 40))
    save(figure, "width-first.png")


def prototypes():
    random = np.random.default_rng(22)
    figure, axes = plate(630, 30, 0, 0, 1, 1)
    for (x, y), spread, dots, colour, word in (
        ((2.9, 3.2), 0.62, 130, INK, "n = 1,600"), ((7.7, 4.5), 0.5, 48, GREY, "n = 600"),
        ((5.3, 1.2), 0.5, 18, ROSE, "n = 220"), ((9.9, 1.7), 0.6, 8, RED, "n = 90"),
    ):
        cloud = random.normal((x, y), spread, (dots, 2))
        axes.scatter(*cloud.T, s=36, color=colour, alpha=0.45, linewidths=0)
        for far in cloud[:: max(1, dots // 9)]:
            axes.plot([x, far[0]], [y, far[1]], color=colour, linewidth=1.6, alpha=0.6)
        axes.scatter(x, y, s=560, marker="s", color=colour, zorder=3)
        axes.text(x + 0.42, y + 0.3, word, va="bottom", bbox={"facecolor": PLATE, "edgecolor": "none", "pad": 4})
    axes.set(xlim=(0, 12.4), ylim=(-0.5, 6.0))
    bare(axes)
    save(figure, "prototypes.png")


def meta_augment():
    random = np.random.default_rng(5)
    figure, axes = plate(900, 54, 0, 0, 1, 1)
    for centre, spread, angle, dots, colour in (((3.9, 4.6), (1.5, 0.75), 25, 60, INK), ((9.2, 6.3), (1.2, 0.6), -35, 26, GREY), ((8.2, 2.3), (1.5, 0.8), 40, 6, RED)):
        turn = np.deg2rad(angle)
        turn = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        cloud = random.normal(0, np.array(spread) / 1.9, (dots, 2)) @ turn.T + centre
        axes.scatter(*cloud.T, s=130, color=colour, linewidths=0, zorder=3)
        for times, style in ((2, "-"), (3, (0, (4, 4)))):
            axes.add_patch(Ellipse(centre, spread[0] * times, spread[1] * times, angle=angle, fill=False, edgecolor=colour, linewidth=4, linestyle=style))
    drawn = random.normal(0, (0.75, 0.4), (26, 2)) @ turn.T + centre
    axes.scatter(*drawn.T, s=130, facecolors=PLATE, edgecolors=RED, linewidths=4, zorder=2)
    axes.text(3.9, 2.55, "many", ha="center")
    axes.text(9.4, 7.65, "some", ha="center", color=GREY)
    axes.text(1.2, 0.5, "few, and drawn", color=RED, weight="bold")
    axes.set(xlim=(0.6, 11.9), ylim=(-0.1, 8.4))
    axes.set_aspect("equal")
    bare(axes)
    save(figure, "meta-augment.png")


def label_shift():
    figure, axes = plate(900, 50, left=0.1, bottom=0.15)
    share = 1 / np.arange(1, 15) ** 1.05
    share /= share.sum()
    axes.bar(range(14), share, width=0.68, color=INK)
    axes.axhline(1 / 14, color=RED, linewidth=8)
    axes.text(3.2, 0.22, "training: a long tail")
    axes.text(13.4, 0.083, "evaluation: uniform", ha="right", va="bottom", color=RED, weight="bold")
    axes.set(xlabel="class, by frequency", ylabel="p(y)", xlim=(-0.7, 13.6))
    axes.set_xticks([])
    axes.set_yticks([])
    save(figure, "label-shift.png")


def two_branches():
    random = np.random.default_rng(3)
    figure, axes = plate(900, 46, 0, 0, 1, 1)
    for y, sampler, heights, colour in ((6.0, "as they come", (1.7, 1.0, 0.55, 0.3, 0.18), INK), (1.4, "rebalanced", (0.8,) * 5, RED)):
        for at, height in enumerate(heights):
            axes.add_patch(Rectangle((0.7 + at * 0.48, y), 0.34, height, color=colour))
        axes.text(0.7, y - 0.85, sampler, color=colour if colour == RED else GREY, weight="bold" if colour == RED else "normal")
        axes.add_patch(Rectangle((4.7, y - 0.1), 2.6, 1.7, fill=False, edgecolor=INK, linewidth=5))
        axes.text(6.0, y + 0.72, "branch", ha="center", va="center")
        guess = random.random(5)
        for at in range(5):
            axes.add_patch(Rectangle((9.1 + at * 0.5, y + 0.4), 0.42, 0.7, color=str(0.25 + 0.6 * guess[at])))
        for a, b in ((3.3, 4.55), (7.45, 8.95)):
            axes.add_patch(FancyArrowPatch((a, y + 0.75), (b, y + 0.75), arrowstyle="-|>", mutation_scale=40, linewidth=5, color=INK, shrinkA=0, shrinkB=0))
    axes.add_patch(FancyArrowPatch((10.3, 6.2), (10.3, 2.7), arrowstyle="<|-|>", mutation_scale=40, linewidth=5, color=RED, shrinkA=0, shrinkB=0))
    axes.text(9.95, 4.45, "must agree", ha="right", va="center", color=RED, weight="bold")
    axes.set(xlim=(0.2, 12.2), ylim=(-0.2, 8.6))
    bare(axes)
    save(figure, "two-branches.png")


def calibration():
    figure, axes = plate(900, 50, left=0.14, bottom=0.2)
    sure = np.linspace(0.05, 0.95, 10)
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=6)
    axes.plot(sure, sure ** 1.9, color=INK, linewidth=6, marker="o", markersize=14)
    axes.plot(sure, sure ** 1.12, color=RED, linewidth=8, marker="o", markersize=16)
    axes.text(0.6, 0.2, "usual training", color=INK)
    axes.text(0.1, 0.78, "label-aware\nsmoothing", color=RED, weight="bold", va="center")
    axes.set(xlabel="how sure the model is", ylabel="how often right", xlim=(0, 1), ylim=(0, 1))
    axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    axes.set_yticks([0.5, 1], ["½", "1"])
    save(figure, "calibration.png")


def worst_of_few():
    random = np.random.default_rng(11)
    figure, axes = plate(900, 50, left=0.1, bottom=0.15)
    for at in range(9):
        losses = np.sort(random.gamma(4, 0.3, 6) + 0.25)
        axes.plot([at, at], [losses[0], losses[-1]], color=PALE, linewidth=5)
        axes.scatter([at] * 5, losses[:-1], s=240, color=INK, zorder=2)
        axes.scatter(at, losses[-1], s=430, color=RED, zorder=3)
    axes.text(8.3, 3.05, "trained on", ha="right", color=RED, weight="bold")
    axes.set(xlabel="samples, perturbed six times each", ylabel="loss", xlim=(-0.6, 8.5), ylim=(0, 3.4))
    axes.set_xticks([])
    axes.set_yticks([])
    save(figure, "worst-of-few.png")


def fewer_layers():
    figure, axes = plate(900, 50, 0.06, 0.05, 0.97, 0.97)
    parts = ((1.4, INK, "step"), (6.3, GREY, "meta gradient, all layers"))
    start = 0
    for length, colour, word in parts:
        axes.add_patch(Rectangle((start, 3.1), length - 0.08, 1.2, color=colour))
        axes.text(start + length / 2, 3.7, word, ha="center", va="center", color=CREAM, size=27)
        start += length
    axes.text(0, 4.55, "before", color=GREY)
    axes.add_patch(Rectangle((0, 0.6), 1.32, 1.2, color=INK))
    axes.text(0.7, 1.2, "step", ha="center", va="center", color=CREAM, size=27)
    axes.add_patch(Rectangle((1.4, 0.6), 1.1, 1.2, color=RED))
    axes.text(0, 2.05, "a few layers only", color=RED, weight="bold")
    axes.text(2.8, 1.2, "one third of the time", va="center", color=RED)
    axes.set(xlim=(0, 7.8), ylim=(0, 5.6))
    bare(axes)
    save(figure, "fewer-layers.png")


def any_input():
    """For issue 23: many kinds of input read into one small array."""
    random = np.random.default_rng(8)
    figure, axes = plate(630, 32, 0, 0, 1, 1)
    for y, word, count in ((4.9, "pixels", 30), (3.1, "sound", 22), (1.3, "text", 14)):
        axes.text(0.4, y + 0.32, word, va="center", color=GREY)
        for at in range(count):
            axes.add_patch(Rectangle((1.9 + at * 0.17, y), 0.12, 0.64, color=str(0.2 + 0.65 * random.random())))
        end = 1.9 + count * 0.17
        axes.add_patch(FancyArrowPatch((end + 0.1, y + 0.32), (8.3, 3.42 + (y - 3.1) * 0.2), arrowstyle="-", linewidth=3, color=PALE, shrinkA=0, shrinkB=0))
    for at in range(6):
        axes.add_patch(Rectangle((8.45 + at * 0.24, 3.0), 0.18, 0.84, color=RED))
    axes.text(9.15, 2.35, "one small array", ha="center", color=RED, weight="bold")
    axes.add_patch(FancyArrowPatch((10.05, 3.42), (11.0, 3.42), arrowstyle="-|>", mutation_scale=34, linewidth=5, color=INK, shrinkA=0, shrinkB=0))
    axes.text(11.15, 3.42, "any\noutput", va="center")
    axes.set(xlim=(0, 12.4), ylim=(0.4, 6.4))
    bare(axes)
    save(figure, "any-input.png")


def cover(name, seed, steps):
    """The surface of a loss as a map, and a walk down it; it joins the block of the masthead."""
    random = np.random.default_rng(seed)
    figure, axes = plt.subplots(figsize=(12, 4.2), dpi=DPI)
    figure.subplots_adjust(0, 0, 1, 1)
    figure.set_facecolor(RED)
    axes.set_facecolor(RED)
    x, y = np.meshgrid(np.linspace(0, 12, 360), np.linspace(0, 4.2, 126))
    land = sum(a * np.exp(-((x - u) ** 2 + (y - v) ** 2) / w) for a, u, v, w in zip(
        random.uniform(-1.6, 1.6, 26), random.uniform(0, 12, 26), random.uniform(-0.5, 4.7, 26), random.uniform(0.5, 2.6, 26)))
    axes.contour(x, y, land, levels=17, colors=CREAM, linewidths=1.6, linestyles="solid", alpha=0.85)
    inner = land[40:-30, 130:-130]
    row, column = np.unravel_index(np.argmin(inner), inner.shape)
    at = np.array([x[0, column + 130], y[row + 40, 0]])
    walk = [at + np.array((-1.7, 0.8)) * (1 - step / steps) ** 1.4 + random.normal(0, 0.1, 2) for step in range(steps)]
    axes.scatter(*np.array(walk).T, s=110, color=CREAM, zorder=3, linewidths=0)
    axes.scatter(*at, s=420, color=INK, zorder=4, linewidths=0)
    axes.set(xlim=(0, 12), ylim=(0, 4.2))
    bare(axes)
    raw = io.BytesIO()
    figure.savefig(raw, format="png", facecolor=RED)
    plt.close(figure)
    few = Image.open(raw).convert("RGB").quantize(12, dither=Image.Dither.NONE)
    # The paper must be exactly the theme's red, or a seam shows.
    palette, ground = few.getpalette(), max(few.getcolors())[1]
    palette[ground * 3:ground * 3 + 3] = [int(RED[i:i + 2], 16) for i in (1, 3, 5)]
    few.putpalette(palette)
    few.save(FOLDER / name, optimize=True)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for draw in (width_first, prototypes, meta_augment, label_shift, two_branches, calibration, worst_of_few, fewer_layers, any_input):
        draw()
    cover("cover-22.png", 1, 6)
    cover("cover-23.png", 4, 6)
