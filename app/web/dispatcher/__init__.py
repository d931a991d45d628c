"""What a dispatcher does beside looking at the board: fixing what will be missed, steering the plan, following escalations,
finding requests."""

from app.web.dispatcher import changes, escalations, fixing, requests, steering, trying

HANDLERS = [
    *fixing.HANDLERS,
    *steering.HANDLERS,
    *changes.HANDLERS,
    *escalations.HANDLERS,
    *requests.HANDLERS,
    *trying.HANDLERS,
]
