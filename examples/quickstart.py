"""Ten lines from a simulated subject to a scored decoder; about ten seconds."""

import sys

import thingsviz as tv

sub = tv.simulate(sys.argv[1] if len(sys.argv) > 1 else "data/quickstart", preset="tiny", seed=1)
split = sub.split("unseen_concepts", seed=0)
targets = ["heavy", "lives", "manmade"]
X, Y = sub.responses(split), sub.ratings(targets)
decoder = tv.models.ConceptDecoder().fit(X[split.train], Y[split.train], groups=split.groups)
print(sub, split, decoder, sep="\n")
print(tv.score(decoder, sub, split, targets=targets, X=X).round(2).to_string(index=False))
