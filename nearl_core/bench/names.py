"""Names of the tables; light, so that a report needs no torch."""

ZERO_SHOT = "zero-shot"
NEARL = "nearl"
INSTANT, TUNED, LIVE = OURS = ("instant", "tuned", "live")
ABLATION = "ablation"
ORDER = (
    ZERO_SHOT,
    "linear-probe",
    "linear-probe+blocks",
    "text-probe",
    "clip-adapter",
    "tip-adapter-f",
    "task-res",
    "lp++",
    "ss-text+",
    "ss-text-u",
    "clip-lora",
    "coop",
    "maple",
    NEARL,
    *OURS,
)
"""How methods stand in a table; variants and others come behind."""


def variant(stage: str, name: str) -> str:
    """The name of a method with a part of the adapters taken away, such as "live/no-useformer"."""
    return f"{stage}/{name}" if name else stage


def is_variant(name: str) -> bool:
    """Whether it is of the ablation."""
    return "/" in name


def is_ours(name: str) -> bool:
    """Whether it is a stage of ours, or a variant of one."""
    return name.partition("/")[0] in OURS
