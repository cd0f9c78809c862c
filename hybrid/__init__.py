"""The hybrid model, and everything that trains, measures, explains and reports any model.

`from hybrid import create_model, list_models, get_entry` brings the models and needs torch, torchvision, timm, einops
and pytorchvideo alone. Only asking for one of these imports torch: reading a data set or a configuration does not.
"""

__all__ = ["create_model", "get_entry", "list_models"]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import baselines
    import hybrid.model.build  # registers the fourteenth model
    import hybrid.model.controls  # noqa: F401

    return getattr(baselines, name)
