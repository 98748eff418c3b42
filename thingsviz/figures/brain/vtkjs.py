"""How a PyVista scene becomes the bytes that trame's vtk.js viewer opens, without a trame server.

`plotter.trame.export_html`, which stpyvista's trame backend calls in a forked copy of the app,
starts a web server on a port of its own first, which tries to download a viewer from
gitlab.kitware.com, and puts 1.05 MB of JavaScript around every scene. Here the same serializers of
trame-vtk are called directly: no server, no download, no OpenGL.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pyvista as pv
from trame_vtk.modules.vtk import serializers


def vtksz(plotter: pv.Plotter) -> bytes:
    """Return the scene as a zip with one `index.json`: scene tree and arrays."""
    serializers.initialize_serializers()
    context = serializers.SynchronizationContext()
    context.set_ignore_last_dependencies(True)  # else what an earlier scene had would be left out
    window = plotter.render_window
    camera = plotter.camera
    scene = serializers.serialize(None, window, serializers.reference_id(window), context, 1)
    scene["extra"] = {
        "vtkRefId": serializers.reference_id(window),
        "centerOfRotation": camera.focal_point,
        "camera": serializers.reference_id(camera),
    }
    return _zip({"hashes": _arrays(scene, context), "scene": scene})


def _arrays(scene: dict[str, Any], context: serializers.SynchronizationContext) -> dict[str, Any]:
    entries = serializers.extract_array_hash(scene)
    return {
        entry["hash"]: entry | {"content": context.get_cached_data_array(entry["hash"], False)}
        for entry in entries
    }


def _zip(content: dict[str, Any]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr("index.json", json.dumps(content, separators=(",", ":")))
    return packed.getvalue()
