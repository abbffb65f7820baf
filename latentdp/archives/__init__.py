"""From and to archives: DICOMweb and DIMSE, a folder out of one, a release into one, and a watch.

    address                  a DICOMweb service by its URL, or an application entity
    tls, credentials         who we are, and whom we trust
    connection               how an archive is spoken to
    study_filter             which studies are asked for
    archive                  what every archive can do, and what it tells
    dicomweb                 over QIDO-RS, WADO-RS and STOW-RS (PS3.18 10)
    association, dimse       over C-FIND, C-MOVE, C-GET and C-STORE (PS3.4 B and C)
    storage_scp              takes what others send (PS3.4 B)
    received                 files on the disk before they are acknowledged
    pull                     studies of an archive, into a folder
    push, sent_log           a release, into an archive
    inbox, watch             what arrives, released under a standing recipe

The only importer of pynetdicom and dicomweb_client. What is received is originals: it stays on the
private side. What is sent is the images of a release whose card verifies, and nothing else.
"""
