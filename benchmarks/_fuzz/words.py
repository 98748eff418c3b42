"""What people write: names, addresses, settings of the server, search spaces, headers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from random import Random
from typing import Any

from benchmarks._fuzz.damage import WORDS, spoil_bytes
from benchmarks._fuzz.judge import Target
from benchmarks._fuzz.place import Place, beside, of_file

LETTERS = "abcXYZ019-_./\\ ~%*?\n\t\0é٣１\u202e:;,=[]{}\"'"


def targets(place: Place, scratch: Path) -> Iterator[Target]:
    """Yield all parsers of words."""
    yield from _names(place)
    yield from _addresses(place)
    yield from _settings()
    yield from _of_doors(scratch)
    yield _proxies()
    yield from _spaces()


def word(rng: Random, *near: str) -> str:
    """Return a hostile word, letters at random, or something near to what is expected."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(WORDS)
    if kind < 0.5 or not near:
        return "".join(rng.choice(LETTERS) for _ in range(rng.randrange(12)))
    if kind < 0.6:
        return rng.choice(near)
    return spoil_bytes(rng, rng.choice(near).encode()).decode("utf-8", "replace")


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for a moment; what the system would not take is left out by the caller."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, old in before.items():
            os.environ.pop(name) if old is None else os.environ.__setitem__(name, old)


def settable(text: str) -> str:
    """Return what an environment can hold: no zero byte, no lone surrogate."""
    return text.replace("\0", "0").encode("utf-8", "replace").decode()


def _names(place: Place) -> Iterator[Target]:
    from thingsviz.core.trial_key import parse_subject
    from thingsviz.data.things.layout import open_dataset
    from thingsviz.explain.map_files import MapSet
    from thingsviz.jobs.job_folder import open_job
    from thingsviz.studies.study_folder import open_study

    def inside(root: Path) -> Callable[[Any, Any], bool]:
        return lambda name, value: Path(value).resolve() == (root / name).resolve()

    name = place.job.name
    yield Target(
        "names of jobs", lambda rng: word(rng, name, "job-2"),
        lambda text: str(open_job(text).path), str(place.job.path), inside(place.jobs),
    )  # fmt: skip
    yield Target(
        "names of studies",
        lambda rng: word(rng, name),
        lambda text: str(open_study(text).path),
        "",
    )
    yield Target(
        "names of datasets", lambda rng: word(rng, "tiny"),
        lambda text: str(open_dataset(text).root), str(place.dataset.root),
    )  # fmt: skip

    def subject(text: Any, value: Any) -> bool:  # noqa: ANN401
        bare = text.strip().removeprefix("sub-")
        wanted = f"sub-{int(bare):02d}" if bare.isdigit() else f"sub-{bare}"
        return bool(re.fullmatch(r"sub-[A-Za-z0-9_]{1,16}", value)) and value == wanted

    yield Target(
        "names of subjects", lambda rng: word(rng, "sub-01", "1", "01", "sub-3b"), parse_subject,
        "sub-01", subject,
    )  # fmt: skip

    def map_path(mutated: Any) -> Any:  # noqa: ANN401
        return MapSet(place.job, *mutated).path

    def below(mutated: Any, value: Any) -> bool:  # noqa: ANN401
        return value.parent == place.job.file("maps") and value.name == "--".join(mutated)

    yield Target(
        "names of maps",
        lambda rng: (word(rng, "test", "row-17", "concept-dog"), word(rng, "all")),
        map_path, place.job.file("maps") / "test--all", below,
    )  # fmt: skip


def _addresses(place: Place) -> Iterator[Target]:
    from thingsviz.data.store.beta_store import BetaStore
    from thingsviz.ui.trials.pickers import parse_key

    store = BetaStore.open(place.dataset, "sub-01")
    first = store.key(0)

    def draw(rng: Random) -> dict[str, str]:
        parts = ("session", "run", "trial")
        return {part: word(rng, "1", "2", "01") for part in parts if rng.random() < 0.8}

    def read(asked: Any) -> Any:  # noqa: ANN401
        return store.key(store.row(parse_key(asked)))

    def agrees(asked: Any, value: Any) -> bool:  # noqa: ANN401
        numbers = [int(asked.get(part, "1")) for part in ("session", "run", "trial")]
        return numbers == [value.session, value.run, value.trial]

    yield Target("addresses of trials", draw, read, first, agrees)


def _settings() -> Iterator[Target]:
    from thingsviz.pipeline.fit import default_threads
    from thingsviz.queue.limits import engine, read_limits
    from thingsviz.queue.sbatch import site_options

    names = ("SLOTS", "QUOTA", "JOB_MEMORY_MB", "JOB_HOURS", "GPUS", "ENGINE", "THREADS")

    def draw(rng: Random) -> dict[str, str]:
        near = ("1", "4", "0.5", "12", "0,1", "local", "slurm")
        return {f"THINGSVIZ_{rng.choice(names)}": settable(word(rng, *near))}

    def read(mutated: Any) -> Any:  # noqa: ANN401
        with environment(mutated):
            limits = read_limits()
            found = {
                "THINGSVIZ_SLOTS": limits.slots, "THINGSVIZ_QUOTA": limits.quota,
                "THINGSVIZ_JOB_MEMORY_MB": limits.memory_mb, "THINGSVIZ_JOB_HOURS": limits.hours,
                "THINGSVIZ_GPUS": limits.gpus, "THINGSVIZ_ENGINE": engine(),
                "THINGSVIZ_THREADS": default_threads(),
            }  # fmt: skip
            return {name: found[name] for name in mutated}

    def agrees(mutated: Any, value: Any) -> bool:  # noqa: ANN401
        ((name, text),) = mutated.items()
        found = value[name]
        if name == "THINGSVIZ_GPUS":
            return all(gpu in text for gpu in found)
        if not text:
            return True  # as if it were not set
        return str(found) == text or float(text) == float(found)

    yield Target("settings of the engine", draw, read, None, agrees)

    def options(rng: Random) -> str:
        near = ("partition=gpu", "time=12:00:00", "gpus=1", "mem=4G", "exclusive", "wrap=id")
        return " ".join(word(rng, *near) for _ in range(rng.randrange(4)))

    def says(text: Any, value: Any) -> bool:  # noqa: ANN401
        safe = re.compile(r"--[a-z-]+(=[\w.,:/@+\[\]*&|-]+)?")
        return value == [f"--{w}" for w in text.split()] and all(map(safe.fullmatch, value))

    yield Target("THINGSVIZ_SLURM", options, lambda text: site_options(text), None, says)


def _of_doors(scratch: Path) -> Iterator[Target]:
    from thingsviz.ui.access.policy import read_policy

    def draw(rng: Random) -> dict[str, str]:
        near = ("local", "open", "header", "oidc", "look", "127.0.0.1, ::1", "10.0.0.0/8", "train")
        names = ("ACCESS", "OPEN_ROLE", "TRUSTED_PROXIES", "USER_HEADER", "ROLES")
        return {f"THINGSVIZ_{name}": word(rng, *near) for name in rng.sample(names, 2)}

    def agrees(mutated: Any, value: Any) -> bool:  # noqa: ANN401
        asked = mutated.get("THINGSVIZ_ACCESS", "").strip() or "local"
        role = mutated.get("THINGSVIZ_OPEN_ROLE", "").strip() or "train"
        proxies = mutated.get("THINGSVIZ_TRUSTED_PROXIES", "127.0.0.1, ::1").split(",")
        known = {ip_network(p.strip()) for p in proxies if p.strip()}
        return (value.mode, value.open_role) == (asked, role) and set(value.proxies) == known

    yield Target("settings of access", draw, read_policy, None, agrees)

    toml = b'look = ["*"]\ntrain = ["*@lab.example", "ada"]\nadminister = ["root@lab.example"]\n'
    path = beside(scratch, "roles.toml", toml)

    def roles() -> Any:  # noqa: ANN401
        policy = read_policy({"THINGSVIZ_ACCESS": "oidc", "THINGSVIZ_ROLES": str(path)})
        return {role: list(names) for role, names in policy.rules.items()}

    def as_toml(mutated: bytes, value: Any) -> bool:  # noqa: ANN401
        """Every name stands in the file; who may administer stands behind that word."""
        text = mutated.decode()
        return all(repr(n)[1:-1] in text or n in text for names in value.values() for n in names)

    yield of_file("roles (TOML)", path, roles, spoil_bytes, as_toml)


def _proxies() -> Target:
    from thingsviz.core.errors import ThingsvizError
    from thingsviz.ui.access.middleware import RefusedError, who
    from thingsviz.ui.access.policy import Policy

    header = Policy("header", proxies=(ip_network("10.0.0.0/8"),), rules={"train": ("ada",)})

    def request(rng: Random) -> dict[str, Any]:
        host = word(rng, "10.0.0.2", "10.1.2.3", "127.0.0.1", "::1", "192.168.0.1")
        names = [b"x-forwarded-user", b"x-forwarded-for", b"host", b"x-thingsviz-user"]
        headers = [
            (rng.choice(names), word(rng, "ada", "eve").encode("utf-8", "replace"))
            for _ in range(rng.randrange(4))
        ]
        if rng.random() < 0.5:
            host, headers = rng.choice(("10.0.0.2", host)), [(names[0], b"ada"), *headers[:2]]
        return {"type": "http", "path": "/", "client": (host, 5000), "headers": headers}

    def enter(scope: Any) -> Any:  # noqa: ANN401
        try:
            return who(header, scope).name
        except RefusedError as error:
            raise ThingsvizError(str(error)) from None

    def proven(scope: Any, value: Any) -> bool:  # noqa: ANN401
        users = [v for k, v in scope["headers"] if k == b"x-forwarded-user"]
        return bool(
            value == "ada" == users[0].decode().strip() and scope["client"][0][:3] == "10."
        )

    return Target("headers of a proxy", request, enter, None, proven)


def _spaces() -> Iterator[Target]:
    from thingsviz.jobs.recipe import parse_config
    from thingsviz.studies.config import parse_study
    from thingsviz.ui.tune.space import SpaceRow, range_of

    base = parse_config({"dataset": "tiny", "model": {"name": "vit3d"}})
    settings = ("model.n_layers", "model.embed_dim", "fit.learning_rate", "model.dropout")
    kinds = ("one of", "whole number", "whole number, log scale", "number", "number, log scale")

    def draw(rng: Random) -> Any:  # noqa: ANN401
        near = ("3 to 8", "1e-5 to 1e-3", "256, 512", "0.1..0.5", "true, empty", "6 × 7 × 5")
        return SpaceRow(word(rng, *settings), rng.choice(kinds), word(rng, *near))

    def read(line: Any) -> Any:  # noqa: ANN401
        space = {line.name: range_of(line)}
        found = parse_study({"base": base.model_dump(mode="json"), "space": space})
        return found.space[line.name].model_dump(mode="json")

    def agrees(line: Any, value: Any) -> bool:  # noqa: ANN401
        words = [w for w in re.split(r"\s*(?:to|…|–|\.\.|,)\s*", line.text.strip()) if w]
        ends = value.get("options") or [value["low"], value["high"]]
        return [_plain(w) for w in words] == [_plain(str(e)) for e in ends]

    yield Target("search space, a line of the form", draw, read, None, agrees)


def _plain(text: str) -> Any:  # noqa: ANN401
    words = {"true": "True", "false": "False", "empty": "None", "null": "None"}
    try:
        return float(text)
    except ValueError:
        return words.get(text, text.strip("\"'"))
