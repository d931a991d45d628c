"""H10, T142: addresses and names that must not be called, judged with a stub resolver; nothing connects that may not."""

import asyncio
from dataclasses import replace

import pytest

from app.core.egress import Egress, Outgoing, UrlRefused, egress_of, egress_to, read_allowed
from app.core.settings import BadSetting, read_settings

pytestmark = pytest.mark.anyio

NAMES = {
    "good.example": ["93.184.216.34"],
    "good6.example": ["2606:2800:220:1:248:1893:25c8:1946"],
    "localhost": ["127.0.0.1", "::1"],
    "inside.example": ["10.1.2.3"],
    "both.example": ["93.184.216.34", "10.1.2.3"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "helpdesk.internal": ["10.20.0.7"],
    "elsewhere.internal": ["10.99.0.7"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "help_desk": ["172.18.0.3"],
    "company_helpdesk_1": ["172.18.0.4"],
    "_desk.good_company.example": ["93.184.216.34"],
    "empty.example": [],
}


async def stub(host, port):
    if host not in NAMES:
        raise OSError("no such name")
    return NAMES[host]


def judge(allow: str = "") -> Egress:
    return Egress(read_allowed(allow), stub)


REFUSED = [
    ("https://127.0.0.1/", "address"), ("https://127.1.2.3:8443/x", "address"), ("https://0.0.0.0/", "address"),
    ("https://10.0.0.1/", "address"), ("https://100.64.0.1/", "address"), ("https://169.254.169.254/latest", "address"),
    ("https://172.16.0.1/", "address"), ("https://172.31.255.255/", "address"), ("https://192.168.1.1/", "address"),
    ("https://192.0.0.1/", "address"), ("https://192.0.2.1/", "address"), ("https://192.88.99.1/", "address"),
    ("https://198.18.0.1/", "address"), ("https://198.51.100.7/", "address"), ("https://203.0.113.9/", "address"),
    ("https://224.0.0.1/", "address"), ("https://239.255.255.250/", "address"), ("https://240.0.0.1/", "address"),
    ("https://255.255.255.255/", "address"),
    ("https://[::]/", "address"), ("https://[::1]/", "address"), ("https://[::ffff:127.0.0.1]/", "address"),
    ("https://[::ffff:7f00:1]/", "address"), ("https://[::ffff:10.0.0.1]/", "address"),
    ("https://[::127.0.0.1]/", "address"), ("https://[2002:7f00:1::]/", "address"),
    ("https://[2002:a00:1::1]/", "address"), ("https://[64:ff9b::7f00:1]/", "address"),
    ("https://[64:ff9b::127.0.0.1]/", "address"), ("https://[64:ff9b:1::1]/", "address"),
    ("https://[2001::1]/", "address"), ("https://[2001:db8::1]/", "address"), ("https://[fc00::1]/", "address"),
    ("https://[fd00:ec2::254]/", "address"), ("https://[fe80::1]/", "address"), ("https://[fec0::1]/", "address"),
    ("https://[ff02::1]/", "address"), ("https://[2606:4700::5efe:7f00:1]/", "address"),
    ("https://[2606:4700::200:5efe:a00:1]/", "address"), ("https://[3fff::1]/", "address"),
    ("https://2130706433/", "host"), ("https://0x7f.1/", "host"), ("https://0x7f000001/", "host"),
    ("https://017700000001/", "host"), ("https://127.1/", "host"), ("https://127.0.0.01/", "host"),
    ("https://0177.0.0.1/", "host"), ("https://1.2.3/", "host"), ("https://256.1.1.1/", "host"),
    ("https://example.0x7f/", "host"), ("https://a..example/", "host"), ("https://-a.example/", "host"),
    ("https://[example.com]/", "shape"), ("https://[fe80::1%25eth0]/", "shape"), ("https://[::1/", "shape"),
    ("https://localhost/", "address"), ("https://localhost./", "address"), ("https://LOCALHOST/", "address"),
    ("https://127.0.0.1./", "address"), ("https://127.0.0.1.nip.example/", "address"),
    ("https://help_desk/", "address"), ("https://127.0.0.1_/", "unresolved"), ("https://127_0.0.1/", "host"),
    ("https://help_desk@127.0.0.1/", "shape"), ("https://help_desk-/", "host"),
    ("https://inside.example/", "address"), ("https://both.example/", "address"), ("https://mapped.example/", "address"),
    ("https://metadata.example/", "address"), ("https://nowhere.example/", "unresolved"),
    ("https://empty.example/", "unresolved"),
    ("http://good.example/", "scheme"), ("http://93.184.216.34/", "scheme"),
    ("ftp://good.example/", "shape"), ("file:///etc/passwd", "shape"), ("gopher://good.example/", "shape"),
    ("https://user@good.example/", "shape"), ("https://good.example@127.0.0.1/", "shape"),
    ("https://good.example\\@127.0.0.1/", "shape"), ("https://good.example#@127.0.0.1/", "shape"),
    ("https://good.example/#fragment", "shape"), ("https://good.example:0/", "port"),
    ("https://good.example:65536/", "port"), ("https://good.example:80:80/", "shape"), ("https:///x", "shape"),
    ("https://①②⑦.⓪.⓪.①/", "shape"), ("https://ｇood.example/", "shape"), ("https://good.example/\r\nX: y", "shape"),
    ("https://good%2eexample/", "shape"), ("//good.example/", "shape"), ("https:good.example", "shape"),
    (" https://good.example/", "shape"), ("https://good.example/ x", "shape"), ("", "shape"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "why"), REFUSED, ids=[one[:60] for one, _ in REFUSED])
async def test_H10_is_refused(url, why):
    with pytest.raises(UrlRefused) as caught:
        await judge().check(url)
    assert caught.value.facts["why"] == why


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("https://good.example/hook?x=1", ""),
        ("https://good6.example:8443/", ""),
        ("https://GOOD.example./", ""),
        ("https://93.184.216.34/", ""),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]/", ""),
        ("http://helpdesk.internal:8000/api", "helpdesk.internal"),
        ("http://10.20.0.7/api", "10.20.0.0/16"),
        ("https://elsewhere.internal/", "10.0.0.0/8"),
        ("http://help_desk:8000/api", "help_desk"),
        ("http://Company_Helpdesk_1:8000/api", "company_helpdesk_1"),
        ("https://_desk.good_company.example/hook", ""),
        ("http://[::1]:8000/", "::1/128"),
        ("http://127.0.0.1:8000/", " 127.0.0.0/8 , helpdesk.internal"),
        ("https://[::ffff:10.20.0.7]/", "10.20.0.0/16"),
    ],
)
async def test_H10_is_called(url, allow):
    await judge(allow).check(url)


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("http://elsewhere.internal/", "helpdesk.internal, 10.20.0.0/16"),
        ("https://inside.example/", "helpdesk.internal"),
        ("https://metadata.example/", "metadata.example"),
        ("http://good.example/", "helpdesk.internal"),
        ("http://company_helpdesk_1/", "help_desk"),
    ],
)
async def test_H10_a_setting_opens_what_it_names_and_nothing_else(url, allow):
    with pytest.raises(UrlRefused):
        await judge(allow).check(url)


async def test_H10_a_name_that_changes_its_mind_is_judged_at_every_call_and_never_reached():
    reached = []
    server = await asyncio.start_server(lambda _, out: (reached.append(1), out.close()), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answers = [["93.184.216.34"], ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"]]

    async def rebinding(host, port):
        return answers.pop(0)

    egress = Egress(read_allowed(""), rebinding)
    await egress.check(f"https://rebind.example:{port}/")
    async with Outgoing(egress, total_s=2) as outgoing:
        for _ in range(2):
            answer = await outgoing.send("POST", f"https://rebind.example:{port}/", headers={}, content=b"{}")
            assert (answer.status, answer.failure) == (None, "refused_address")
    server.close()
    assert reached == []
    assert answers == []


@pytest.mark.parametrize("name", ["helpdesk.internal", "help_desk"])
async def test_H10_the_judged_address_is_the_one_connected_to_under_the_host_s_own_name(receiver, name):
    asked = []

    async def once(host, port):
        asked.append(host)
        return ["127.0.0.1"]

    async with Outgoing(Egress(read_allowed(name), once)) as outgoing:
        url = f"http://{name}:{receiver.port}/hook"
        answer = await outgoing.send("POST", url, headers={"x": "y"}, content=b"{}")
    assert (answer.status, asked) == (204, [name])
    assert receiver.got[0].headers["host"] == f"{name}:{receiver.port}"


async def test_H10_no_proxy_of_the_environment_is_asked(receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with Outgoing(egress_of("127.0.0.0/8")) as outgoing:
        assert (await outgoing.send("GET", receiver.url, headers={}, content=None)).status == 204


async def test_T142_an_endpoint_is_judged_when_it_is_kept_and_again_when_it_is_called(world, out, receiver, app, api):
    endpoint = await out.endpoint(receiver, world, event_types=["part_request.accepted"])
    kept = app.state.egress
    app.state.egress = judge()
    try:
        for url in ("http://127.0.0.1:1/", "https://localhost./", "https://2130706433/", "https://u@good.example/"):
            refused = await api.post("/v1/webhook-endpoints", json={"url": url})
            assert (refused.status_code, refused.json()["code"]) == (422, "url.refused")
            assert refused.json()["errors"][0]["field"] == "url"
            again = await api.patch(f"/v1/webhook-endpoints/{endpoint['id']}", json={"url": url})
            assert again.status_code == 422
    finally:
        app.state.egress = kept
    await world.ask()
    async with Outgoing(judge()) as strict:
        out.post.outgoing = strict
        await out.send()
    assert receiver.got == []
    delivery = (await out.log(endpoint))[0]
    assert (delivery["state"], delivery["reason"]) == ("pending", "refused_address")


@pytest.mark.parametrize("value", ["10.0.0.1/8", "http://x", "1.2.3", "a b"])
def test_a_setting_that_names_neither_host_nor_network_is_refused_by_name(value):
    with pytest.raises(BadSetting, match="SPARELANE_EGRESS_ALLOW"):
        read_settings({"SPARELANE_EGRESS_ALLOW": value})


@pytest.mark.parametrize(
    ("setting", "url", "why"),
    [
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000/table/v1/driving/1,2;3,4", None),
        ("http://[::1]:5000", "http://[::1]:5000/route", None),
        ("http://helpdesk.internal:5000/osrm", "http://helpdesk.internal:5000/osrm/table", None),
        ("https://good.example", "https://good.example/" + "1.23456,2.34567;" * 900, None),
        ("https://good.example", "https://good.example/" + "1.23456,2.34567;" * 1100, "shape"),
        ("http://127.0.0.1:5000", "http://127.0.0.2:5000/", "address"),
        ("http://helpdesk.internal", "http://inside.example/", "address"),
        ("http://metadata.example", "http://metadata.example/latest", "address"),
    ],
)
async def test_a_server_the_operator_names_is_that_host_alone_and_never_the_metadata(setting, url, why):
    judge = replace(egress_to(setting), resolve=stub)
    if why is None:
        assert (await judge.addresses(url))[1]
    else:
        with pytest.raises(UrlRefused) as no:
            await judge.addresses(url)
        assert no.value.facts["why"] == why


@pytest.mark.parametrize("host", ["169.254.169.254", "169.254.170.2", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"])
def test_a_setting_that_names_the_metadata_is_refused_at_the_start(host):
    with pytest.raises(BadSetting, match="credentials"):
        read_settings({"SPARELANE_TRAVEL": f"osrm:http://{host}:80"})
