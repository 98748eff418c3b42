"""The public door: what `import thingsviz as tv` offers, listed in thingsviz/__init__.pyi."""
