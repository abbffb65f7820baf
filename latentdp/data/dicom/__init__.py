"""DICOM radiographs in and out. The only importer of pydicom.

    instance    one file in (`read`), one file out (`write`), what becomes of each attribute
    refusals    which files are not taken, and why
    pixels      stored values to a picture in [0, 1]
    reduced     JPEG 2000 decoded at the resolution that is needed
    header      the new header: an allow-list of constants and pseudonyms
    marks       what the header says of its own making
    actions     the allow-list as a table
    retained    what options of the profile take from the source's header, cleaned
    devices     the makers and product lines that may be named
    pseudonyms  keyed identifiers and date shifts

Nothing is copied from a source data set: what `header.build` receives is a picture out of the
mechanism, pseudonyms, and the few facts named in `actions.ACTIONS` as "source value".
"""
