"""Each profile's way of proving a delivery, against the scheme its system documents; and what must not pass (T60, T61, T66)."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from app.integrations.providers import providers
from app.integrations.rules.profile import Verify, profile_of
from app.integrations.rules.verify import NotVerified, Verified, verify

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = '{"ticket":{"id":81,"title":"Kein Bild – 无图像"}}'.encode()
SECRET = "correct horse battery"
KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def mac(message: bytes, algorithm: str, key: bytes = SECRET.encode()) -> bytes:
    return hmac.new(key, message, getattr(hashlib, algorithm)).digest()


def scheme(provider: str, body: bytes = BODY) -> tuple[str, dict[str, str]]:
    """The secret, and the headers as the system's documentation describes them."""
    signed_id = b"msg_1." + STAMP.encode() + b"." + body
    made = {
        "zammad": (SECRET, {"x-hub-signature": "sha1=" + mac(body, "sha1").hex()}),
        "jira_service_management": (SECRET, {"x-hub-signature": "sha256=" + mac(body, "sha256").hex()}),
        "glpi": (SECRET, {"x-glpi-signature": mac(body + STAMP.encode(), "sha256").hex(), "x-glpi-timestamp": STAMP}),
        "generic": ("whsec_" + KEY, {
            "webhook-id": "msg_1", "webhook-timestamp": STAMP,
            "webhook-signature": "v1," + base64.b64encode(mac(signed_id, "sha256", base64.b64decode(KEY))).decode()}),
        "servicenow": (SECRET, {"x-sparelane-token": SECRET}),
        "request_tracker": (SECRET, {"x-sparelane-token": SECRET}),
        "django_helpdesk": ("desk:" + SECRET, {
            "authorization": "Basic " + base64.b64encode(f"desk:{SECRET}".encode()).decode()}),
    }  # fmt: skip
    return made[provider]


def how(provider: str) -> Verify:
    return profile_of(providers()[provider], {}).verify


SIGNING = ("zammad", "jira_service_management", "glpi", "generic")
ZENDESK = Verify(
    header="X-Zendesk-Webhook-Signature", encoding="base64", signed="{timestamp}{body}",
    timestamp_header="X-Zendesk-Webhook-Signature-Timestamp",
)  # fmt: skip


@pytest.mark.parametrize("provider", sorted(providers()))
def test_what_its_system_documents_is_verified(provider):
    secret, headers = scheme(provider)
    assert verify(how(provider), headers=headers, body=BODY, secrets=["another", secret], now=NOW) == Verified()


PUBLISHED = [
    # Atlassian's page on webhooks for administrators, "Testing the webhook payload validation"
    (
        "jira_service_management", "It's a Secret to Everybody", b"Hello World!",
        {"x-hub-signature": "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"},
    ),
    # the example of the libraries for Standard Webhooks
    (
        "generic", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}',
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "secret", "body", "headers"), PUBLISHED, ids=[one[0] for one in PUBLISHED])
def test_the_very_examples_that_are_published_are_verified(provider, secret, body, headers):
    then = datetime.fromtimestamp(1614265330, UTC)
    assert verify(how(provider), headers=headers, body=body, secrets=[secret], now=then) == Verified()
    assert verify(how(provider), headers=headers, body=body + b" ", secrets=[secret], now=then) != Verified()


@pytest.mark.parametrize("provider", sorted(providers()))
def test_T60_a_wrong_secret_no_header_and_no_secret_are_turned_away(provider):
    secret, headers = scheme(provider)
    for given, secrets in (
        (headers, ["wrong secret"]),
        ({}, [secret]),
        (headers, []),
        ({"x-hub-signature": "v1,"}, [secret]),
    ):
        assert verify(how(provider), headers=given, body=BODY, secrets=secrets, now=NOW) == NotVerified("signature")


@pytest.mark.parametrize("provider", SIGNING)
def test_T60_one_byte_or_a_rewritten_body_is_turned_away(provider):
    secret, headers = scheme(provider)
    rewritten = BODY.replace(b":", b": ")
    for body in (BODY[:-1] + b" ", b"x" + BODY[1:], rewritten, b""):
        assert verify(how(provider), headers=headers, body=body, secrets=[secret], now=NOW) == NotVerified("signature")


def test_T60_another_system_s_signature_is_turned_away():
    for mine in SIGNING:
        secret, _ = scheme(mine)
        for theirs in SIGNING:
            _, headers = scheme(theirs)
            expected = Verified() if mine == theirs else NotVerified("signature")
            assert verify(how(mine), headers=headers, body=BODY, secrets=[secret], now=NOW) == expected


@pytest.mark.parametrize(
    ("provider", "off_s", "found"),
    [
        ("generic", 299, Verified()),
        ("generic", -299, Verified()),
        ("generic", 360, NotVerified("stale")),
        ("generic", -360, NotVerified("stale")),
        ("glpi", 3600, Verified()),
        ("glpi", 90_000, NotVerified("stale")),
    ],
)
def test_T61_six_minutes_off_is_stale_where_the_time_is_signed(provider, off_s, found):
    secret, headers = scheme(provider)
    assert (
        verify(how(provider), headers=headers, body=BODY, secrets=[secret], now=NOW + timedelta(seconds=off_s)) == found
    )


def test_T61_a_time_that_was_moved_breaks_the_signature():
    secret, headers = scheme("generic")
    moved = headers | {"webhook-timestamp": str(int(STAMP) + 1)}
    assert verify(how("generic"), headers=moved, body=BODY, secrets=[secret], now=NOW) == NotVerified("signature")


@pytest.mark.parametrize("stamp", ["2026-11-22T02:00:00Z", "1795312800000"])
def test_T66_zendesk_signs_time_and_body_without_anything_between_in_base64(stamp):
    signature = base64.b64encode(mac(stamp.encode() + BODY, "sha256")).decode()
    headers = {"x-zendesk-webhook-signature": signature, "x-zendesk-webhook-signature-timestamp": stamp}
    assert verify(ZENDESK, headers=headers, body=BODY, secrets=[SECRET], now=NOW) == Verified()
    later = NOW + timedelta(minutes=6)
    assert verify(ZENDESK, headers=headers, body=BODY, secrets=[SECRET], now=later) == NotVerified("stale")


def test_several_signatures_in_one_header_are_each_tried_as_during_a_rotation():
    secret, headers = scheme("generic")
    both = headers | {"webhook-signature": "v1,AAAA v1a,BBBB " + headers["webhook-signature"]}
    assert verify(how("generic"), headers=both, body=BODY, secrets=[secret], now=NOW) == Verified()


def test_a_connection_may_take_all_that_comes_where_its_network_is_its_guard():
    assert verify(Verify(kind="none"), headers={}, body=BODY, secrets=[], now=NOW) == Verified()
