"""DICOM radiographs in and out. The only importer of pydicom.

    instance                 a file in (`read`), one out (`encode`), what becomes of each attribute
    file_format              files with and without preamble and meta header
    elements                 what is read of a file, and nothing else
    refusals                 which files are not taken, and why
    anatomy, views           whether it is said to be a chest, seen from the front or the back
    vocabulary               words in the languages that archives speak
    examination              what a header says of patient, study and day
    demographics             sex, age and view
    pixel_layout             how the pixels are laid out
    codestream               the one compressed frame
    pixels                   from a data set to a picture in [0, 1]
    stored_values            which bits of a value count, and which values are padding
    grayscale, colour        stored values to grey levels
    reduced_resolution       JPEG 2000 decoded at the resolution that is needed
    header                   the new header: an allow-list of constants and pseudonyms
    deidentification_codes   what the header says of its own making
    attributes               the allow-list as a table
    profile, retention       what options retain of the source's header, cleaned
    device_names             the makers and product lines that may be named
    pseudonyms               keyed identifiers and date shifts
    released                 outputs, read back
    messages                 what is said to an archive, and what it answers
    bounded_file             no file is read into more memory than a radiograph needs

Nothing is copied from a source data set: what `header.build` receives is a picture out of the
mechanism, pseudonyms, and the few facts named in `attributes.ACTIONS` as "source value".
"""
