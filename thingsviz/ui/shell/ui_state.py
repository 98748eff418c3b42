"""Every key of the session state, and the only reading and writing of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import streamlit as st


class Key(StrEnum):
    """What a visitor's session remembers between runs and pages: plain values only.

    Keys of widgets begin with `w_`; Streamlit forgets those when their widget is not shown, so
    what must last from page to page has a key of its own beside them, or persist_state. The
    widgets of the training form take theirs from form_fields.form_key, one a setting.
    """

    DATASET = "dataset"
    SUBJECT = "subject"
    TRIAL = "trial"
    QUERY = "query_seen"
    N_AVERAGED = "n_averaged"
    JOB = "job"
    COMPARED = "compared"
    AGAIN_SEEN = "again_seen"
    STUDY = "study"
    TUNE_ROWS = "tune_rows"
    TUNE_BASE = "tune_base"
    PICK_BY = "pick_by"
    TASKS_SEEN = "tasks_seen"
    JOBS_SHOWN = "jobs_shown"
    JOBS_PAGE = "jobs_page"
    JOBS_DELETED = "jobs_deleted"
    PREPARE_NEXT = "prepare_next"
    W_DATASET = "w_dataset"
    W_SUBJECT = "w_subject"
    W_PICK_BY = "w_pick_by"
    W_SESSION = "w_session"
    W_RUN = "w_run"
    W_TRIAL = "w_trial"
    W_CONCEPT = "w_concept"
    W_CONCEPT_TRIAL = "w_concept_trial"
    W_IMAGE = "w_image"
    W_IMAGE_TRIAL = "w_image_trial"
    W_SHOWING = "w_showing"
    W_N_AVERAGED = "w_n_averaged"
    W_JOB = "w_job"
    W_IMAGE_FORMAT = "w_image_format"
    W_PART = "w_part"
    W_AVERAGING = "w_averaging"
    W_METRIC = "w_metric"
    W_TOP_K = "w_top_k"
    W_OVERFITTING_SESSIONS = "w_overfitting_sessions"
    W_PRESET = "w_preset"
    W_PROPERTY = "w_property"
    W_ALL_JOBS = "w_all_jobs"
    W_BOARD_AVERAGING = "w_board_averaging"
    W_BOARD_PROPERTY = "w_board_property"
    W_CURVES_MODEL = "w_curves_model"
    W_CEILING_OF = "w_ceiling_of"
    W_CURVES_TARGET = "w_curves_target"
    W_JOBS_TEXT = "w_jobs_text"
    W_JOBS_STATES = "w_jobs_states"
    W_JOBS_OWNER = "w_jobs_owner"
    W_JOBS_CANDIDATES = "w_jobs_candidates"
    W_JOBS_SURE = "w_jobs_sure"
    W_JOBS_DAYS = "w_jobs_days"
    W_JOBS_LOOK = "w_jobs_look"
    W_COMPARED = "w_compared"
    W_AGAIN_MINUTES = "w_again_minutes"
    W_AGAIN_READ = "w_again_read"
    W_COMPARE_METRIC = "w_compare_metric"
    W_COMPARE_CURVE = "w_compare_curve"
    W_COMPARE_CLOCK = "w_compare_clock"
    W_COMPARE_COST = "w_compare_cost"
    W_3D_AS = "w_3d_as"
    W_3D_VIEW = "w_3d_view"
    W_3D_SHOW = "w_3d_show"
    W_3D_SMOOTHING = "w_3d_smoothing"
    W_3D_BY = "w_3d_by"
    W_3D_PERCENTILE = "w_3d_percentile"
    W_3D_VALUE = "w_3d_value"
    W_3D_BRAIN = "w_3d_brain"
    W_3D_RESPONSE = "w_3d_response"
    W_3D_CROSSHAIR = "w_3d_crosshair"
    W_3D_X = "w_3d_x"
    W_3D_Y = "w_3d_y"
    W_3D_Z = "w_3d_z"
    W_3D_STAGE = "w_3d_stage"
    W_3D_SCENE = "w_3d_scene"
    W_3D_LOOK = "w_3d_look"
    W_MAP_PART = "w_map_part"
    W_MAP_TARGET = "w_map_target"
    W_MAP_METHOD = "w_map_method"
    W_MAP_LAYER = "w_map_layer"
    W_MAP_HEAD = "w_map_head"
    W_MAP_PERCENT = "w_map_percent"
    W_MAP_SCALE = "w_map_scale"
    W_MAP_ABOVE = "w_map_above"
    W_MAP_AS = "w_map_as"
    W_MAP_VIEW = "w_map_view"
    W_MAP_AMOUNT = "w_map_amount"
    W_MAP_ONE = "w_map_one"
    W_MAP_REGIONS = "w_map_regions"
    W_MAP_BESIDE = "w_map_beside"
    W_MAP_REPORT = "w_map_report"
    W_MAP_FILM = "w_map_film"
    W_MAP_BETWEEN = "w_map_between"


def get(key: Key, default: object = None) -> Any:  # noqa: ANN401
    """Return what the session remembers under `key`."""
    return st.session_state.get(str(key), default)


def put(key: str, value: object) -> None:
    """Remember a plain value: text, number, tuple, list, dict or None.

    `key` is a Key, or one with a name behind it, as widgets have that belong to one job.
    """
    st.session_state[str(key)] = value


def forget(*keys: Key) -> None:
    """Forget what stands under `keys`, if anything."""
    for key in keys:
        st.session_state.pop(str(key), None)


def copy(source: Key, target: Key) -> None:
    """Remember under `target` what stands under `source`: the on_change callback of a widget."""
    st.session_state[str(target)] = st.session_state[str(source)]
