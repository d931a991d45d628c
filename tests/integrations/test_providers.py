"""Each ready profile with a payload in its system's documented shape: found, proved, turned into a request, told back."""

import json
from pathlib import Path

import pytest

from app.integrations.providers import providers
from app.integrations.rules.profile import profile_of
from app.integrations.rules.tickets import event_of, read_ticket
from app.integrations.rules.verify import basic, signature

pytestmark = pytest.mark.anyio
PAYLOADS = Path(__file__).parent / "payloads"
SECRET = "whsec_" + "QUJD" * 12

EXPECTED = {
    "django_helpdesk": ("17", "severe", "31"),
    "zammad": ("10081", "severe", "2026-11-22T01:58:00.333Z"),
    "jira_service_management": ("SUP-42", "severe", "2026-11-22T01:58:00.000+0000"),
    "glpi": ("512", "severe", "2026-11-22T01:58:00+00:00"),
    "servicenow": ("INC0010042", "severe", "0"),
    "request_tracker": ("4711", "severe", "2026-11-22T01:58:00Z"),
    "generic": ("4711", "severe", "2026-11-22T01:58:00Z"),
}


def payload(provider: str, serial: str, part: str) -> bytes:
    return (PAYLOADS / f"{provider}.json").read_text().replace("%SERIAL%", serial).replace("%PART%", part).encode()


def headers(profile, body: bytes, now) -> dict[str, str]:
    """What the system would send along."""
    how, stamp = profile.verify, str(int(now.timestamp()))
    given = {"content-type": "application/json", profile.identity.header or "x-nothing": "delivery-1"}
    if how.kind == "token":
        return given | {how.header: SECRET}
    if how.kind == "basic":
        return given | {"authorization": basic(SECRET)}
    parts = {"{body}": body.decode(), "{timestamp}": stamp, "{id}": "delivery-1"}
    message = how.signed
    for name, value in parts.items():
        message = message.replace(name, value)
    given[how.header] = how.prefix + signature(how, SECRET, message.encode())
    return given | ({how.timestamp_header: stamp} if how.timestamp_header else {})


@pytest.mark.parametrize("provider", sorted(providers()))
def test_every_profile_has_a_payload_and_finds_its_fields(provider):
    profile = profile_of(providers()[provider], {})
    document = json.loads(payload(provider, "SN-1", "PSU-1"))
    seen = read_ticket(profile, document, event=event_of(profile, document, {}))
    number, priority, edition = EXPECTED[provider]
    assert (seen.number, seen.priority, seen.status) == (number, priority, "open")
    assert (seen.known["serial"], seen.known["part"], seen.known["edition"]) == ("SN-1", "PSU-1", edition)
    assert seen.known["title"] == "Camera shows no picture"
    assert seen.known["requester"]
    assert seen.edition is not None


@pytest.mark.parametrize("provider", sorted(providers()))
async def test_a_payload_becomes_a_request_and_is_told_back(world, desk, out, receiver, clock, provider):
    await desk.connect(
        provider=provider, verify_secret=SECRET, write_secret="robot:pass-word", base_url=receiver.url, language="zh-CN"
    )
    profile = profile_of(providers()[provider], {})
    body = payload(provider, world.serial, world.psu)
    answer = await desk.api.post(f"/hooks/{desk.code}", content=body, headers=headers(profile, body, clock.now()))
    assert answer.status_code == 202, answer.text
    await desk.act()
    (request,) = await desk.requests(EXPECTED[provider][0])
    assert (request["priority"], request["lines"][0]["part_number"]) == ("severe", world.psu)
    await out.send("https://parts.example/")
    told = [one for one in receiver.got if request["id"] in one.body.decode()]
    assert told, [one.path for one in receiver.got]
    words = told[0].body.decode()
    assert "在保" in words
    assert world.local in words
    assert f"https://parts.example/requests/{request['id']}" in words
    assert "预计送达" in words
    assert told[0].headers["authorization"] in (
        basic("robot:pass-word"),
        profile.credentials.prefix + "robot:pass-word",
    )
