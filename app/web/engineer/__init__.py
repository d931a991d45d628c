"""Pages around a device and its failure: look-up, asking for a part, the request everybody shares, the verdict."""

from app.web.engineer import asking, devices, drafts, home, photos, requests, verdicts

HANDLERS = [
    *home.HANDLERS,
    *devices.HANDLERS,
    *asking.HANDLERS,
    *drafts.HANDLERS,
    *photos.HANDLERS,
    *requests.HANDLERS,
    *verdicts.HANDLERS,
]
