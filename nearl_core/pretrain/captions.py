"""Texts for the folders of the pretraining images: what the starter backbone learns to read.

A class has phrases of its own and phrases that it shares with others ("knee X-ray"); a text is
right for every class that has its phrase.
"""

from dataclasses import dataclass

TEMPLATES = (
    "{}",
    "a {}",
    "an image of a {}",
    "a photo of a {}",
    "a scan of a {}",
    "a medical image of {}",
    "a medical scan showing {}",
    "this is {}",
    "{} on imaging",
    "findings of {}",
)

_KNEE = ("knee X-ray", "knee radiograph", "radiograph of the knee", "X-ray", "joint, knee, bone")
_BRAIN = ("brain MRI", "MR image of the brain", "head magnetic resonance imaging", "MRI")
_FUNDUS = ("fundus photograph", "retinal image", "eye fundus, retina", "ophthalmology photograph")
_LUNG = ("lung histology", "histopathology of lung tissue", "H&E stained slide", "microscopy")
_TUMOUR = ("tumour", "tumor", "mass", "lesion", "abnormal")
_CANCER = ("cancer", "malignant", "carcinoma", "malignant tumour", "abnormal")
_HEALTHY = ("normal", "healthy", "no finding", "no disease")
_ARTHRITIS = ("osteoarthritis", "arthritis", "degenerative joint disease", "abnormal")

PHRASES: dict[str, tuple[str, ...]] = {
    "knee_xray/kl_grade_0": (
        *_KNEE,
        *_HEALTHY,
        "Kellgren-Lawrence grade 0",
        "normal knee",
        "no osteoarthritis",
        "knee X-ray without osteoarthritis",
    ),
    "knee_xray/kl_grade_1": (
        *_KNEE,
        "Kellgren-Lawrence grade 1",
        "doubtful osteoarthritis",
        "doubtful joint space narrowing",
        "possible osteophytes",
    ),
    "knee_xray/kl_grade_2": (
        *_KNEE,
        *_ARTHRITIS,
        "Kellgren-Lawrence grade 2",
        "minimal osteoarthritis",
        "mild osteoarthritis with osteophytes",
    ),
    "knee_xray/kl_grade_3": (
        *_KNEE,
        *_ARTHRITIS,
        "Kellgren-Lawrence grade 3",
        "moderate osteoarthritis",
        "joint space narrowing with osteophytes",
    ),
    "knee_xray/kl_grade_4": (
        *_KNEE,
        *_ARTHRITIS,
        "Kellgren-Lawrence grade 4",
        "severe osteoarthritis",
        "large osteophytes with sclerosis and deformity",
    ),
    "brain_mri/glioma": (*_BRAIN, *_TUMOUR, "glioma", "brain tumour", "glioma of the brain"),
    "brain_mri/meningioma": (
        *_BRAIN,
        *_TUMOUR,
        "meningioma",
        "brain tumour",
        "meningioma of the meninges",
    ),
    "brain_mri/pituitary": (
        *_BRAIN,
        *_TUMOUR,
        "pituitary tumour",
        "pituitary adenoma",
        "brain tumour",
    ),
    "brain_mri/notumor": (*_BRAIN, *_HEALTHY, "normal brain", "no tumour", "brain without tumour"),
    "fundus/cataract": (*_FUNDUS, "cataract", "cloudy lens", "blurred retina", "abnormal"),
    "fundus/diabetic_retinopathy": (
        *_FUNDUS,
        "diabetic retinopathy",
        "retinopathy with haemorrhages and exudates",
        "microaneurysms",
        "abnormal",
    ),
    "fundus/glaucoma": (
        *_FUNDUS,
        "glaucoma",
        "enlarged optic cup",
        "optic disc cupping",
        "abnormal",
    ),
    "fundus/normal": (*_FUNDUS, *_HEALTHY, "normal retina", "healthy eye", "normal fundus"),
    "lung_histology/lung_aca": (
        *_LUNG,
        *_CANCER,
        "lung adenocarcinoma",
        "adenocarcinoma",
        "glandular carcinoma",
    ),
    "lung_histology/lung_n": (
        *_LUNG,
        *_HEALTHY,
        "benign lung tissue",
        "normal lung tissue",
        "benign",
    ),
    "lung_histology/lung_scc": (
        *_LUNG,
        *_CANCER,
        "lung squamous cell carcinoma",
        "squamous cell carcinoma",
        "keratinising carcinoma",
    ),
    "mednist/AbdomenCT": ("abdomen CT", "abdominal computed tomography", "CT", "CT of the abdomen"),
    "mednist/BreastMRI": ("breast MRI", "MR image of the breast", "MRI", "breast"),
    "mednist/CXR": ("chest X-ray", "chest radiograph", "X-ray", "frontal X-ray of the chest"),
    "mednist/ChestCT": ("chest CT", "computed tomography of the chest", "CT", "lung CT"),
    "mednist/Hand": ("hand X-ray", "radiograph of the hand", "X-ray", "hand, wrist, bone"),
    "mednist/HeadCT": ("head CT", "computed tomography of the head", "CT", "brain CT"),
}


@dataclass(frozen=True)
class Vocabulary:
    """All phrases, and which class may be called what.

    Attributes:
        phrases: Each phrase once.
        of_class: For each class, in the given order, the places of its phrases.
    """

    phrases: tuple[str, ...]
    of_class: tuple[tuple[int, ...], ...]


def vocabulary(classes: tuple[str, ...]) -> Vocabulary:
    """The phrases of classes named SET/CLASS; a class without phrases goes by its folder's name."""
    by_class = [PHRASES.get(name, (_spoken(name),)) for name in classes]
    phrases = tuple(dict.fromkeys(phrase for group in by_class for phrase in group))
    places = {phrase: place for place, phrase in enumerate(phrases)}
    return Vocabulary(phrases, tuple(tuple(places[p] for p in group) for group in by_class))


def words(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The words of texts, each once, in lower case and in order of the alphabet."""
    letters = (c if c.isalnum() or c in "&" else " " for text in texts for c in f"{text} ".lower())
    return tuple(sorted(set("".join(letters).split())))


def _spoken(name: str) -> str:
    return " ".join(name.replace("/", " ").replace("_", " ").split()).lower()
