"""thingsviz: explore and decode THINGS-fMRI, with honest scores.

What `import thingsviz as tv` offers stands in __init__.pyi; a name is imported when first used.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
