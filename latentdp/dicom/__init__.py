"""DICOM radiographs in and out. The only importer of pydicom.

    instance    one file in (`read`), one file out (`write`), what becomes of each attribute
    refusals    which files are not taken, and why
    pixels      stored values to a picture in [0, 1]
    header      the new header: an allow-list of constants and pseudonyms
    actions     the allow-list as a table
    pseudonyms  keyed identifiers

Nothing is copied from a source data set: what `header.build` receives is a picture out of the
mechanism, pseudonyms, and the few coded facts named in `actions.ACTIONS` as "source value".
"""
