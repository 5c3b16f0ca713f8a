"""The viewer as a test works it: by key and pointer, on DICOM files made up here."""

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt

from app.models.measuring import Point
from app.views.image_view import ImageView
from tests.app.driving import Driver
from tests.dicom.making import add_overlay, dicom, item, noise, ramp

SECRET = "DOE^JANE"
CT: dict[str, Any] = {
    "Modality": "CT",
    "RescaleSlope": 1,
    "RescaleIntercept": -1024,
    "PixelSpacing": [0.5, 0.5],
    "WindowCenter": [40, -600],
    "WindowWidth": [400, 1500],
    "WindowCenterWidthExplanation": ["MEDIASTINUM", "LUNG"],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PatientName": SECRET,
    "PatientID": "P-77",
    "StudyDescription": "KNEE OF DOE",
    "Manufacturer": "ACME",
}


def write_scans(folder: Path) -> Path:
    """Eight DICOM files, each for some tools."""
    folder.mkdir()
    dicom(folder / "a-ct.dcm", ramp(64, 80, "u2", 1), **CT)
    dicom(folder / "b-ct.dcm", ramp(64, 80, "u2", 1), **CT)
    dicom(
        folder / "c-dx.dcm",
        noise((60, 40), "u2", 4096),
        Modality="DX",
        ImagerPixelSpacing=[0.2, 0.2],
        ImageLaterality="L",
        ViewPosition="MLO",
    )
    dicom(
        folder / "d-covered.dcm",
        np.full((60, 40), 200, np.uint8),
        ShutterShape="RECTANGULAR",
        ShutterLeftVerticalEdge=11,
        ShutterRightVerticalEdge=30,
        ShutterUpperHorizontalEdge=1,
        ShutterLowerHorizontalEdge=60,
    )
    dicom(folder / "e-stack.dcm", noise((6, 20, 20), "u1"), RecommendedDisplayFrameRate=50)
    own = [
        item(FrameVOILUTSequence=[item(WindowCenter=str(100 * k), WindowWidth="50")])
        for k in range(3)
    ]
    stack = noise((3, 20, 20), "u2", 300)
    dicom(folder / "f-windows.dcm", stack, PerFrameFunctionalGroupsSequence=own, Laterality="U")
    unequal = np.stack([ramp(20, 20, "u2", step) for step in (1, 4, 2)])
    dicom(folder / "g-automatic.dcm", unequal)
    drawn = dicom(folder / "h-overlay.dcm", np.full((60, 40), 90, np.uint8))
    add_overlay(drawn, np.ones((20, 20), np.uint8), (11, 6))
    return folder


def view_of(driver: Driver) -> ImageView:
    """Where the scan is drawn."""
    return driver.desk.window.scan.view


def go_to(driver: Driver, name: str) -> None:
    """Walk the queue by key until a scan is on screen."""
    for _ in range(9):
        scan = driver.desk.review.scan
        if scan is not None and scan.path.name == name:
            break
        driver.press(Qt.Key.Key_Right)
    view = view_of(driver)
    driver.until(lambda: driver.desk.window.scan.name == name and view.picture is not None)


def drag(driver: Driver, start: Point, end: Point) -> None:
    """Left-drag from one column and row of the picture to another."""
    view = view_of(driver)
    first, last = (view.place_of(point).toPoint() for point in (start, end))
    driver.bot.mousePress(view, Qt.MouseButton.LeftButton, pos=first)
    driver.bot.mouseMove(view, last)
    driver.bot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=last)


def texts(driver: Driver) -> str:
    """All that stands on the picture."""
    return "\n".join(view_of(driver).texts())


def shows(driver: Driver, text: str) -> bool:
    """Whether it stands on the picture."""
    return text in texts(driver)


def grey_at(driver: Driver, point: Point) -> int:
    """What is on screen at a column and row."""
    view = view_of(driver)
    image = view.grab().toImage()
    place = view.place_of(point) * view.devicePixelRatioF()
    return image.pixelColor(place.toPoint()).red()
