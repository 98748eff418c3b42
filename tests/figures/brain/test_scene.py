"""What the browser gets: layers, colours, and bytes that vtk.js opens."""

import io
import json
import zipfile

import numpy as np
import pytest
from trame_vtk.modules.vtk.protocols import vtkWebLocalRendering
from vtkmodules.vtkWebCore import vtkWebApplication

from tests.figures.brains import GRID, bump, mask
from thingsviz.figures.base.style import palette, rgb
from thingsviz.figures.base.views import camera, frame_of
from thingsviz.figures.brain import scene, surface, vtkjs
from thingsviz.figures.brain.draw_orders import SceneLayer
from thingsviz.figures.brain.volume import VolumeChoice, volume_info
from thingsviz.figures.brain.vtkjs_viewer import packed_viewer, viewer_module

CHOICE = VolumeChoice(0.0, "value", 4.0)


def made(volume=None, theme="light", choice=CHOICE):
    """(layers, meshes, plotter) of a small brain."""
    values = bump() if volume is None else volume
    info = volume_info(values, mask(), GRID, choice)
    meshes = scene.scene_meshes(values, mask(), GRID, info, theme)
    meshes = meshes._replace(brain=surface.brain_surface(mask(), GRID, 1000))
    layers = scene.scene_layers(meshes, theme)
    eye = camera("oblique", frame_of(mask(), GRID))
    return layers, meshes, scene.draw_scene(layers, meshes, eye, theme)


def content(packed):
    """The scene tree and arrays in the zip."""
    return json.loads(zipfile.ZipFile(io.BytesIO(packed)).read("index.json"))


def of_type(tree, name):
    """All instances of a class in the scene tree, in order."""
    found = [tree] if tree["type"] == name else []
    for child in tree.get("dependencies", []):
        found += of_type(child, name)
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_layers_say_what_is_drawn_in_which_colour(theme):
    both = bump() - bump(at=(26, 30, 18))
    layers, meshes, _ = made(both, theme)
    p = palette(theme)
    faces = {name: surface.n_faces(getattr(meshes, name)) for name in ("positive", "negative")}
    assert layers[3:] == (
        SceneLayer("negative", "negative", p.negative, 1.0, faces["negative"]),
        SceneLayer("positive", "positive", p.positive, 1.0, faces["positive"]),
        SceneLayer("brain", "brain", scene.BRAIN_COLOURS[theme], 0.16, 1000),
    )
    names = [(layer.name, layer.group, layer.colour) for layer in layers[:3]]
    assert names == [(f"slice {axis}", "slices", None) for axis in "xyz"]


def test_a_side_that_nothing_reaches_is_left_out():
    names = [layer.name for layer in made()[0]]
    assert names == ["slice x", "slice y", "slice z", "positive", "brain"]
    nothing = made(choice=VolumeChoice(0.0, "value", 100.0))[0]
    assert [layer.name for layer in nothing] == ["slice x", "slice y", "slice z", "brain"]


def test_the_scene_has_one_actor_a_layer_and_no_volume():
    layers, _, plotter = made()
    tree = content(vtkjs.vtksz(plotter))["scene"]
    actors = of_type(tree, "vtkActor") + of_type(tree, "vtkOpenGLActor")
    assert len(actors) == len(layers)
    assert not of_type(tree, "vtkVolume")
    looks = of_type(tree, "vtkProperty") + of_type(tree, "vtkOpenGLProperty")
    wanted = [layer.colour or "#FFFFFF" for layer in layers]
    found = [tuple(round(255 * v) for v in look["properties"]["color"]) for look in looks]
    assert found == [rgb(colour) for colour in wanted]
    assert [look["properties"]["opacity"] for look in looks] == [1.0] * 4 + [0.16]


def test_the_scene_looks_from_where_the_view_says():
    plotter = made()[2]
    eye = camera("oblique", frame_of(mask(), GRID))
    found = of_type(content(vtkjs.vtksz(plotter))["scene"], "vtkOpenGLCamera")[0]["properties"]
    np.testing.assert_allclose(found["position"], eye.position)
    np.testing.assert_allclose(found["focalPoint"], eye.focal_point)


def without_ids(found):
    """A scene tree without what differs from call to call: ids (memory addresses) and times."""
    tree = found["scene"]
    text = json.dumps([tree["dependencies"], tree["calls"]])
    names = [tree["extra"]["vtkRefId"], *(n for child in tree["dependencies"] for n in ids(child))]
    for number, name in enumerate(names):
        text = text.replace(name, f"id{number}")
    return json.loads(text)


def ids(tree):
    return [tree["id"], *(name for child in tree.get("dependencies", []) for name in ids(child))]


class Export(vtkWebLocalRendering):
    """What trame's server calls for an export, without the server.

    (The server, once started, tries to download a viewer from gitlab.kitware.com.)
    """

    def __init__(self, window):
        super().__init__()
        self.window, self.web = window, vtkWebApplication()

    @property
    def app(self):
        return self.web

    def get_view(self, _):
        return self.window


def test_the_export_is_that_of_trames_server():
    plotter = made()[2]
    ours = content(vtkjs.vtksz(plotter))
    theirs = json.loads(json.dumps(Export(plotter.render_window).get_standalone_state(1)))
    assert ours["hashes"] == theirs["hashes"]
    assert without_ids(ours) == without_ids(theirs)
    assert ours["scene"]["extra"] == theirs["scene"]["extra"]


def test_a_second_scene_lacks_nothing_that_the_first_had():
    first, second = content(vtkjs.vtksz(made()[2])), content(vtkjs.vtksz(made()[2]))
    assert first["hashes"] == second["hashes"]
    assert without_ids(first) == without_ids(second)


def test_slices_keep_their_texture_in_the_scene():
    tree = content(vtkjs.vtksz(made()[2]))["scene"]
    textures = of_type(tree, "vtkTexture")
    assert len(textures) == 3
    assert all(t["properties"]["interpolate"] for t in textures)
    assert not any(t["properties"]["repeat"] for t in textures)


def test_the_viewer_asks_nothing_of_other_hosts_and_packs_small():
    module = viewer_module()
    assert "OfflineLocalView" in module
    assert "kitware.github.io/vtk-js/icon" not in module
    assert len(packed_viewer()) < 330_000
    assert len(module) > 1_000_000


def test_scene_and_viewer_stay_far_below_the_budget(rng):
    # the worst case: noise everywhere, so that all surfaces use their whole budget
    noise = np.where(mask(), rng.standard_normal(mask().shape), 0).astype(np.float32)
    packed = vtkjs.vtksz(made(noise, choice=VolumeChoice(0.0, "percentile", 90.0))[2])
    assert (len(packed) + len(packed_viewer())) * 4 / 3 < 1_000_000  # base64; the goal is 1.5 MB
