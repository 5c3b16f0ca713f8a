"""The only door to pydicom: reading DICOM files."""
