"""The words of the export dialog's choices, by the names that the engine knows them by."""

FORMAT_WORDS = {
    "csv": "CSV table",
    "jsonl": "JSON lines",
    "imagefolder": "Folders of images (ImageFolder)",
    "huggingface": "Hugging Face image folder",
    "parquet": "Parquet, images inside",
    "monai": "MONAI datalist",
    "coco": "COCO (labels of whole images, by convention)",
    "croissant": "Croissant 1.1 (table and images, described)",
    "dicom": "DICOM copies, de-identified",
    "dicom-sr": "DICOM structured reports on such copies",
    "adapters": "Adapters of the live version, with their card",
}
ADAPTERS = "adapters"
"""The one that holds no scans."""

IMAGE_WORDS = {
    "none": "None",
    "shown": "As shown: default window, 8 bits",
    "stored": "Stored values: 16 bits, stacks as NIfTI",
}

DECISION_WORDS = {
    "all": "All, each reader's by itself",
    "agreed": "Scans that all their readers agree on",
    "reader": "Of one reader, or source of labels",
    "majority": "What most readers of a scan say",
    "adjudicated": "Adjudicated, else what all readers agree on",
}
