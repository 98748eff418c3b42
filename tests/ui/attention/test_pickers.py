"""What an address may ask of maps, and what it is told."""

from thingsviz.ui.attention.pickers import understood

FACTS = {"n_layers": 2, "n_heads": 8}


def test_what_is_there_is_taken():
    asked = {"method": "attention", "layer": "2", "head": "8", "job": "any"}
    assert understood(asked, ["attention"], FACTS) == ("attention", 2, 8, ())
    assert understood({}, ["attention"], FACTS) == (None, None, None, ())


def test_a_layer_or_head_that_is_not_there_is_one_sentence():
    for text in ("3", "0", "-1", "two", "²", "1.5", "9" * 5000):
        found = understood({"layer": text}, ["attention"], FACTS)
        assert found.layer is None
        assert found.complaints == (
            f"The address asks for layer {text!r}, but this model has 2 of them.",
        )
    (words,) = understood({"head": "9"}, ["attention"], FACTS).complaints
    assert "head '9', but this model has 8 of them" in words


def test_a_model_without_attention_says_so():
    found = understood({"method": "attention", "layer": "1"}, ["weights", "pattern"], {})
    assert found.method is None
    assert found.complaints == (
        "There is no map by Attention (this model has no attention, or it is not made yet); there "
        "are Weights, Activation pattern.",
        "The address asks for layer '1', but this model has none.",
    )


def test_a_method_nobody_knows_is_one_sentence():
    (words,) = understood({"method": "magic"}, ["pattern"], FACTS).complaints
    assert "the method 'magic', which is none; there are Activation pattern" in words
    (words,) = understood({"method": "weights"}, ["pattern"], FACTS).complaints
    assert "it does not fit this model" in words
