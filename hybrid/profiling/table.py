"""Profiles as people read them: headings with units, few digits; for `hybrid.display.tables.formatted`."""

from __future__ import annotations

HEADINGS = {
    "model": ("model", "{}"),
    "module": ("module", "{}"),
    "parameters_M": ("params M", "{:.2f}"),
    "gmac": ("GMAC", "{:.4g}"),
    "gmac_percent": ("of GMAC", "{:.1f} %"),
    "activations_M": ("activ. M", "{:.4g}"),
    "latency_ms": ("latency ms", "{:.1f}"),
    "inference_clips_s": ("infer clips/s", "{:.3g}"),
    "train_clips_s": ("train clips/s", "{:.3g}"),
    "inference_gb": ("infer GB", "{:.2f}"),
    "train_gb": ("train GB", "{:.2f}"),
    "uncounted": ("not counted", "{}"),
}
PUBLISHED = {
    "model": ("model", "{}"),
    "native_input": ("published at", "{}"),
    "published_parameters_M": ("params M", "{:g}"),
    "native_parameters_M": ("ours", "{:.2f}"),
    "parameters_off_percent": ("off", "{:+.2f} %"),
    "published_gmac": ("GMAC", "{:g}"),
    "native_gmac": ("ours", "{:.2f}"),
    "gmac_off_percent": ("off", "{:+.2f} %"),
    "published_by": ("source", "{}"),
    "why": ("why they differ", "{}"),
}
