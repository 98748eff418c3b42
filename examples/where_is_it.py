"""Where a decoder looks, and whether that is where the signal is.

    python examples/where_is_it.py DATASET

Cells begin with `# %%`. A map is made three ways; each says in which regions more of it lies than
turning the regions over the brain would give.
"""

# %% A decoder of three properties, trained as a job so that the pages show it too
import sys

import thingsviz as tv

sub = tv.load_subject(sys.argv[1] if len(sys.argv) > 1 else "demo")
split = sub.split("unseen_concepts", seed=0)
targets = ["heavy", "lives", "manmade"]
job = tv.train("ridge", sub, split, name="where-is-it", targets=targets)
print(job.scores.round(2).to_string(index=False))

# %% Weights say what the decoder uses, patterns where its signal is, occlusion what it would miss
for method in ("weights", "pattern_local", "occlusion_region"):
    found = job.explain(method)
    table = found.regions()
    print(f"\n{found}")
    print(
        table[["region", "share", "uniform", "enrichment", "p", "q"]].head(5).round(3).to_string()
    )

# %% One property alone, as a picture
figure = tv.plot_map(job, "pattern_local", target="manmade")
figure.write_html(f"{job.folder.path}/where_is_it.html")
print(f"\n{job.folder.path}/where_is_it.html")
