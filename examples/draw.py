#!/usr/bin/env python3
"""Draws the pictures of issue-22.md. Every figure is a sketch of an idea, drawn from made-up numbers.

    pip install pillow && python3 draw.py

1200 pixels wide, twice the width of a mail's column; a light plate that holds in dark mode too; ink and one red.
"""
import math
import pathlib
import random

from PIL import Image, ImageDraw, ImageFont

HERE = pathlib.Path(__file__).resolve().parent
PLATE, INK, GREY, PALE, RED, CREAM = "#F7F2E8", "#1F1B16", "#6A6051", "#CFC5B2", "#B1361E", "#FFF8EC"
FONTS = ("Inter-Regular.otf", "DejaVuSans.ttf")
OVER = 2    # drawn larger and reduced, for smooth edges


def font(size):
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size * OVER)
        except OSError:
            continue
    return ImageFont.load_default(size * OVER)


class Plate:
    """A picture under the pencil; lengths are in pixels of the finished file."""

    def __init__(self, height, ground=PLATE, words=28):
        self.words, self.calm = words, (600, 8)
        self.image = Image.new("RGB", (1200 * OVER, height * OVER), ground)
        self.pencil = ImageDraw.Draw(self.image)

    def line(self, points, colour=INK, width=4):
        self.pencil.line([(x * OVER, y * OVER) for x, y in points], fill=colour, width=width * OVER, joint="curve")

    def box(self, x, y, w, h, colour, outline=None):
        self.pencil.rectangle([x * OVER, y * OVER, (x + w) * OVER, (y + h) * OVER], fill=colour, outline=outline, width=4 * OVER)

    def dot(self, x, y, r, colour):
        self.pencil.ellipse([(x - r) * OVER, (y - r) * OVER, (x + r) * OVER, (y + r) * OVER], fill=colour)

    def text(self, x, y, words, colour=INK, anchor="ls"):
        self.pencil.text((x * OVER, y * OVER), words, fill=colour, font=font(self.words), anchor=anchor)

    def arrow(self, x, y, x2, y2, colour=INK, width=4):
        turn = math.atan2(y2 - y, x2 - x)
        self.line([(x, y), (x2, y2)], colour, width)
        for side in (2.6, -2.6):
            self.line([(x2, y2), (x2 + 18 * math.cos(turn + side), y2 + 18 * math.sin(turn + side))], colour, width)

    def axes(self, left, top, right, bottom, across, up):
        self.line([(left, top), (left, bottom), (right, bottom)], INK, 3)
        self.text((left + right) / 2, bottom + 62, across, GREY, anchor="ms")
        self.text(left, top - 20, up, GREY)

    def save(self, name, colours=96):
        small = self.image.resize((self.image.width // OVER, self.image.height // OVER), Image.LANCZOS)
        reduced = small.quantize(colours, dither=Image.Dither.NONE)
        # The ground must meet the colour of the mail around it, to the last bit.
        palette = reduced.getpalette()
        at = 3 * reduced.getpixel(self.calm)
        palette[at:at + 3] = small.getpixel(self.calm)
        reduced.putpalette(palette)
        reduced.save(HERE / name, optimize=True)


def cover():
    """Lines of equal height around a few summits; the search that climbs one of them is dashed."""
    p = Plate(420, RED)
    p.calm = (380, 200)
    dice = random.Random(22)
    hills = [(dice.uniform(-60, 1260), dice.uniform(-40, 460), dice.uniform(90, 190), dice.uniform(0.6, 1.3)) for _ in range(16)]

    def height(x, y):
        return sum(a * math.exp(-((x - hx) ** 2 + (y - hy) ** 2) / (2 * s * s)) for hx, hy, s, a in hills)
    step = 6
    grid = [[height(x, y) for x in range(0, 1201 + step, step)] for y in range(0, 421 + step, step)]
    for level in (0.5 + 0.2 * i for i in range(16)):
        for j in range(len(grid) - 1):
            for i in range(len(grid[0]) - 1):
                cut = []
                corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
                for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1]):
                    a, b = grid[ay][ax], grid[by][bx]
                    if (a < level) != (b < level):
                        t = (level - a) / (b - a)
                        cut.append(((ax + t * (bx - ax)) * step, (ay + t * (by - ay)) * step))
                if len(cut) == 2:
                    p.line(cut, "#E9B9A6", 2)
    x, y, way = 640.0, 330.0, []
    for _ in range(70):
        way.append((x, y))
        gx, gy = height(x + 1, y) - height(x - 1, y), height(x, y + 1) - height(x, y - 1)
        size = math.hypot(gx, gy) or 1
        x, y = x + 9 * gx / size, y + 9 * gy / size
        if size < 1e-3:
            break
    for spot in way[:-4:6]:
        p.dot(*spot, 10, CREAM)
    p.dot(*way[-1], 16, INK)
    p.save("cover.png")


def width_first():
    p = Plate(640)
    p.axes(110, 90, 960, 530, "size of the model, in FLOPs", "time for a step")
    curves = (("deeper", PALE, 1.0, 4), ("all at once", GREY, 0.6, 5), ("wider first", RED, 0.3, 8))
    for name, colour, slope, width in curves:
        points = [(110 + 830 * t / 40, 510 - 400 * slope * (t / 40) ** 0.9) for t in range(41)]
        p.line(points, colour, width)
        p.text(points[-1][0] + 18, points[-1][1] + 10, name, INK if colour == PALE else colour)
    p.save("width-first.png")


def prototypes():
    p, dice = Plate(640), random.Random(5)
    for x, y, n, spread, colour, name, below in ((280, 230, 150, 62, INK, "1,600 pictures", 230), (720, 170, 60, 52, GREY, "600", 165),
                                                 (620, 420, 24, 40, RED, "220", 115), (980, 380, 9, 36, RED, "90", 100)):
        for _ in range(n):
            a, b = dice.gauss(x, spread), dice.gauss(y, spread * 0.8)
            p.line([(x, y), (a, b)], "#DDD4C4", 1)
            p.dot(a, b, 5, colour)
        p.box(x - 16, y - 16, 32, 32, colour)
        p.text(x, y + below, name, INK, anchor="ms")
    p.text(110, 590, "a square stands for its class; only squares are kept in memory", GREY)
    p.save("prototypes.png")


def covariance():
    p = Plate(640, words=46)
    for x, y, w, h, turn, colour, name in ((350, 300, 190, 80, 0.4, INK, "many: measured"), (830, 320, 190, 80, 0.4, RED, "few: learnt")):
        for scale in (1, 0.66, 0.33):
            ring = []
            for i in range(65):
                a = i / 64 * math.tau
                u, v = w * scale * math.cos(a), h * scale * math.sin(a)
                ring.append((x + u * math.cos(turn) - v * math.sin(turn), y + u * math.sin(turn) + v * math.cos(turn)))
            p.line(ring, colour, 3)
        p.dot(x, y, 10, colour)
        p.arrow(x, y, x + 150 * math.cos(turn), y + 150 * math.sin(turn), colour)
        p.text(x, 560, name, INK, anchor="ms")
    p.save("covariance.png")


def long_tail():
    p = Plate(640, words=46)
    p.axes(110, 90, 1090, 530, "from the frequent to the rare", "share of examples")
    for i in range(16):
        tall = 420 * math.exp(-i / 3.2) + 8
        p.box(135 + i * 59, 528 - tall, 40, tall, INK)
    p.line([(110, 420), (1090, 420)], RED, 6)
    p.text(1090, 402, "what the test asks", RED, anchor="rs")
    p.save("long-tail.png")


def two_branches():
    p = Plate(640, words=46)
    for y, name, colour, bars in ((190, "as the data come", INK, (120, 60, 30, 14)), (450, "each class alike", RED, (56, 56, 56, 56))):
        for i, tall in enumerate(bars):
            p.box(110 + i * 48, y + 60 - tall, 34, tall, colour)
        p.arrow(330, y, 470, y, colour)
        p.box(480, y - 70, 240, 140, PLATE, colour)
        p.text(600, y + 10, "network", colour, anchor="ms")
        p.arrow(724, y, 860, y, colour)
        p.text(110, y + 124, name, GREY)
    p.arrow(940, 270, 940, 216, GREY)
    p.arrow(940, 362, 940, 412, GREY)
    p.text(940, 335, "must agree", INK, anchor="ms")
    p.text(900, 196, "labels", INK)
    p.text(900, 466, "labels", RED)
    p.save("two-branches.png")


def calibration():
    p = Plate(640, words=46)
    p.axes(110, 90, 700, 530, "how sure the model is", "how often it is right")
    p.line([(110, 530), (690, 100)], PALE, 4)
    p.line([(110 + 580 * t / 20, 530 - 430 * (t / 20) ** 2.4) for t in range(21)], INK, 5)
    p.line([(110 + 580 * t / 20, 530 - 430 * (t / 20) ** 1.15) for t in range(21)], RED, 8)
    for y, colour, name in ((170, PALE, "ideal"), (240, RED, "softened"), (310, INK, "before")):
        p.line([(770, y), (840, y)], colour, 8)
        p.text(860, y + 10, name)
    p.save("calibration.png")


def worst_of_many():
    p, dice = Plate(560, words=46), random.Random(3)
    losses = [dice.uniform(60, 250) for _ in range(11)]
    losses[6] = 340
    for i, tall in enumerate(losses):
        p.box(120 + i * 88, 450 - tall, 56, tall, RED if tall == 340 else PALE)
    p.line([(100, 452), (1100, 452)], INK, 3)
    p.text(120 + 6 * 88 + 28, 90, "only this one teaches", RED, anchor="ms")
    p.text(600, 515, "one picture, disturbed eleven times", GREY, anchor="ms")
    p.save("worst-of-many.png")


def short_way():
    p = Plate(560, words=46)
    for i in range(9):
        late = i > 5
        p.box(120 + i * 108, 170, 70, 190, RED if late else PLATE, RED if late else INK)
        if i < 8:
            p.arrow(192 + i * 108, 265, 226 + i * 108, 265, GREY, 3)
    p.line([(1050, 400), (1050, 440), (768, 440), (768, 400)], RED, 5)
    p.text(909, 490, "three layers tell", RED, anchor="ms")
    p.line([(660, 400), (660, 440), (155, 440), (155, 400)], PALE, 5)
    p.text(407, 490, "about all the others", GREY, anchor="ms")
    p.text(120, 120, "from input to output", GREY)
    p.save("short-way.png")


if __name__ == "__main__":
    for draw in (cover, width_first, prototypes, covariance, long_tail, two_branches, calibration, worst_of_many, short_way):
        draw()
