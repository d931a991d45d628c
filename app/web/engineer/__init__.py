"""Pages around a device and its failure: look-up, asking for a part, the request everybody shares, the verdict."""

from app.web.engineer import asking, devices, photos

HANDLERS = [*devices.HANDLERS, *asking.HANDLERS, *photos.HANDLERS]
