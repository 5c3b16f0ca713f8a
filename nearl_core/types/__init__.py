"""The frozen values that flow between modules and cross threads; see `docs/glossary.md`.

Nothing here reads, writes or computes more than its own validity.
"""

from nearl_core.types.decisions import (
    FROZEN,
    UNSEEN,
    Confidence,
    Decision,
    LabelProbability,
    NewDecision,
    Ranking,
    Shown,
    State,
    Verdict,
)
from nearl_core.types.labels import Label, LabelSet
from nearl_core.types.scans import (
    AddReport,
    Disguise,
    Frame,
    Identity,
    Region,
    Scan,
    ScanInfo,
    SkippedFile,
    SlicePlace,
    SpacingAt,
    TagLine,
    Unit,
    VoiLut,
    Window,
    WindowShape,
)
from nearl_core.types.versions import (
    EngineInfo,
    Evidence,
    Figures,
    LabelRecall,
    TrainingResult,
    Version,
)

__all__ = [
    "FROZEN",
    "UNSEEN",
    "AddReport",
    "Confidence",
    "Decision",
    "Disguise",
    "EngineInfo",
    "Evidence",
    "Figures",
    "Frame",
    "Identity",
    "Label",
    "LabelProbability",
    "LabelRecall",
    "LabelSet",
    "NewDecision",
    "Ranking",
    "Region",
    "Scan",
    "ScanInfo",
    "Shown",
    "SkippedFile",
    "SlicePlace",
    "SpacingAt",
    "State",
    "TagLine",
    "TrainingResult",
    "Unit",
    "Verdict",
    "Version",
    "VoiLut",
    "Window",
    "WindowShape",
]
