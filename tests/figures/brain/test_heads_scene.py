import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from thingsviz.analysis.maps.volumes import head_volumes
from thingsviz.core.space import Grid
from thingsviz.figures.base import gif
from thingsviz.figures.brain import draw_worker, heads, heads_scene
from thingsviz.figures.brain.draw_orders import DrawJob, DrawOrder, pack_job, unpack_job
from thingsviz.figures.brain.heads import HeadsChoice

GRID = Grid.of((24, 28, 22), np.diag([6.0, 6, 6, 1]))
NAMES = tuple(f"Head {n + 1}" for n in range(8))


@pytest.fixture(scope="module")
def job():
    """Eight heads, each with a blob at another place of an ellipsoid."""
    axes = np.meshgrid(*(np.linspace(-1.1, 1.1, n) for n in GRID.shape), indexing="ij")
    mask = sum(a**2 for a in axes) < 1
    ijk = np.argwhere(mask)
    centres = ijk[np.random.default_rng(0).choice(len(ijk), 8, replace=False)]
    maps = np.stack([np.exp(-((ijk - c) ** 2).sum(1) / 8) + 1e-3 for c in centres])
    volumes = head_volumes(maps, mask, GRID, 8.0)
    order = DrawOrder(
        "heads", "light", names=NAMES, title="made up", subtitle="eight", simulated=True
    )
    return DrawJob(order, volumes, mask, GRID)


def drawn(job, **order):
    reply = draw_worker.draw(unpack_job(pack_job(job._replace(order=job.order._replace(**order)))))
    assert reply.error == ""
    return reply


def test_eight_heads_are_in_one_scene_with_one_camera(job):
    # on a scale of its own each head has a core; on a shared one an even head may have none
    reply = drawn(job, heads=HeadsChoice(shared=False))
    groups = [layer.group for layer in reply.layers]
    assert groups == ["core", "halo", "brain"] * 8
    assert {layer.name.split(" ", 1)[1] for layer in reply.layers} == set(NAMES)
    with zipfile.ZipFile(io.BytesIO(reply.blob)) as archive:
        scene = json.loads(archive.read("index.json"))["scene"]
    renderers = [d for d in scene["dependencies"] if d["type"].endswith("Renderer")]
    with_actors = [
        r for r in renderers if any(d["type"].endswith("Actor") for d in r["dependencies"])
    ]
    assert len(with_actors) == 8
    cameras = {d["id"] for r in with_actors for d in r["dependencies"] if "Camera" in d["type"]}
    assert len(cameras) == 1
    assert len({tuple(r["properties"]["viewport"]) for r in with_actors}) == 8


def test_less_mass_is_smaller_surfaces(job):
    def size(percent):
        choice = HeadsChoice(percent=percent, shared=False)
        found = heads.heads_info(job.smoothed, job.mask, job.grid, NAMES, choice)
        return sum(head.n_voxels for head in found.heads)

    assert size(5) < size(60)
    small, large = (
        drawn(job, heads=HeadsChoice(percent=p, shared=False)).blob for p in (5.0, 60.0)
    )
    assert small != large


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_rendered_volumes_show_all_heads(job, theme):
    choice = HeadsChoice(percent=60.0, shared=False)
    reply = drawn(job, kind="heads_picture", theme=theme, heads=choice)
    pixels = np.asarray(Image.open(io.BytesIO(reply.blob)).convert("RGB")).astype(int)
    assert pixels.shape[1] == 4 * 600
    warm = pixels[..., 0] - pixels[..., 2] > 60
    for row in range(2):
        for column in range(4):
            top, height = heads_scene.TITLE, heads_scene.TITLE + 450
            cell = warm[row * height + top : (row + 1) * height, column * 600 : (column + 1) * 600]
            assert cell.sum() > 60, (row, column)


def test_a_film_has_a_picture_a_map_and_its_own_colours(job):
    two = job._replace(smoothed=job.smoothed[:3])
    choice = HeadsChoice(percent=60.0, shared=False)
    reply = drawn(two, kind="heads_gif", names=("one", "two", "three"), heads=choice)
    film = Image.open(io.BytesIO(reply.blob))
    assert (film.format, film.n_frames, film.info["duration"]) == ("GIF", 3, gif.FRAME_MS)
    assert film.info["loop"] == 0
    frames = []
    for n in range(3):
        film.seek(n)
        frames.append(np.asarray(film.convert("RGB")).astype(int))
        warm = frames[-1][..., 0] - frames[-1][..., 2] > 60
        assert warm[:500].sum() > 15, n
    assert (frames[0] != frames[1]).any()
    assert (frames[1] != frames[2]).any()
